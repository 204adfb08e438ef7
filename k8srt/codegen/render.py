"""Modules as data → Python text: a class per definition, a line per field, the same bytes every time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from k8srt.apimachinery.model import camel
from k8srt.apimachinery.resource import USUAL_SUBRESOURCE_VERBS, USUAL_VERBS
from k8srt.codegen.docs import docstring
from k8srt.codegen.tree import (
    MODEL,
    OBJECT,
    OBJECT_LIST,
    Class,
    Field,
    Module,
    Ref,
    Resource,
    Subresource,
    Type,
    literal,
)

WIDTH = 120
INDENT = "    "
HEAD = "from __future__ import annotations\n"
LOOSE = "# fmt: off\n# ruff: noqa\n\n"
"""For modules that end up in other people's projects, whose formatters and linters are set otherwise."""


class Names:
    """What each class is called inside one module. A name of the module's own wins; an imported one gets an alias."""

    def __init__(self, module: Module) -> None:
        self._module = module.name
        self._own = {cls.name for cls in module.classes}
        self._imports: dict[tuple[str, str], str] = {}
        self._taken = set(self._own)

    def spell(self, ref: Ref) -> str:
        if ref.module is None or ref.module == self._module:
            return ref.name
        key = (ref.module, ref.name)
        if key not in self._imports:
            self._imports[key] = self._free_name(ref)
        return self._imports[key]

    def _free_name(self, ref: Ref) -> str:
        """The class's own name if nothing else has it here, or one that says where it's from: `CoreV1Event`."""
        name = ref.name
        if name in self._taken:
            prefix = "".join(part.capitalize() for part in str(ref.module).split(".")[-2:])
            name = f"{prefix}{ref.name}"
        self._taken.add(name)
        return name

    def imports(self) -> str:
        """Import lines, sorted as the linter sorts them: the standard library first."""
        by_module: dict[str, list[str]] = {}
        for (module, name), local in sorted(self._imports.items(), key=lambda item: _isort_key(item[0][1])):
            by_module.setdefault(module, []).append(name if name == local else f"{name} as {local}")
        std = sorted(module for module in by_module if module == "typing")
        own = sorted(module for module in by_module if module != "typing")
        groups = ["".join(import_line(name, by_module[name]) for name in group) for group in (std, own) if group]
        return "\n".join(groups)


def _isort_key(name: str) -> tuple[bool, bool, str]:
    """Constants, then classes, then functions; each by letter."""
    return (not name.isupper() or len(name) == 1, name[0].islower(), name)


def import_line(module: str, names: Iterable[str]) -> str:
    names = list(names)
    line = f"from {module} import {', '.join(names)}\n"
    if len(line) <= WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"{INDENT}{name},\n" for name in names) + ")\n"


def module(tree: Module) -> str:
    """The whole text of a module of models."""
    names = Names(tree)
    docs = {cls.name: cls.doc for cls in tree.classes}
    docs |= {name: docs[target] for name, target in tree.aliases}
    bodies = [_class(cls, names, docs) for cls in tree.classes]
    aliases = [_aliases(tree.aliases)] if tree.aliases else []
    head = f"{LOOSE}{HEAD}" if tree.loose else HEAD
    return "\n".join([_docstring(tree.doc), head, names.imports(), *("\n" + body for body in bodies + aliases)])


def _docstring(doc: str) -> str:
    return f'"""{doc}"""\n'


def _aliases(aliases: Iterable[tuple[str, str]]) -> str:
    lines = [
        line if len(line) <= WIDTH else f"{name} = (\n{INDENT}{target}\n)"
        for name, target in aliases
        for line in [f"{name} = {target}"]
    ]
    return "\n".join(["# Parts that are the same as others.", *lines, ""])


# ---- classes


def _class(cls: Class, names: Names, docs: Mapping[str, str]) -> str:
    header = f"class {cls.name}({_arguments(cls, names)}):"
    doc = docstring(cls.doc, INDENT, WIDTH)
    if not (cls.fields or doc):
        return f"{header} ...\n"
    blocks = [block for block in (doc, _class_schema(cls)) if block]
    blocks += [_field(field, names) + _field_doc(field, docs) for field in cls.fields]
    return "\n".join([header, *_spaced(blocks), ""])


def _class_schema(cls: Class) -> str:
    return f"{INDENT}__schema__ = {pretty(cls.schema, INDENT, len('__schema__ = '))}" if cls.schema else ""


def _field_doc(field: Field, docs: Mapping[str, str]) -> str:
    """The docstring below a field, unless that's what the class of its value says already."""
    refs = [part.name for part in field.type.parts if isinstance(part, Ref)]
    said = any(docs.get(name) == field.doc for name in refs)
    doc = "" if said else docstring(field.doc, INDENT, WIDTH)
    return f"\n{doc}" if doc else ""


def _spaced(blocks: list[str]) -> Iterator[str]:
    """An empty line stands before and after what has a docstring; plain fields stand together."""
    for number, block in enumerate(blocks):
        if number and ('"""' in block.rpartition("\n")[2] or '"""' in blocks[number - 1].rpartition("\n")[2]):
            yield ""
        yield block


def _arguments(cls: Class, names: Names) -> str:
    """What stands in the parentheses of a class: on one line, or filled over several."""
    arguments = [*_bases(cls, names), *_facts(cls)]
    line = ", ".join(arguments)
    if len(f"class {cls.name}({line}):") <= WIDTH:
        return line
    return "\n" + "".join(f"{INDENT}{line}\n" for line in _filled(arguments))


def _filled(arguments: list[str]) -> Iterator[str]:
    """As many arguments a line as fit; one that's too long for any line is text, and continued on the next."""
    line = ""
    for argument in arguments:
        if line and len(INDENT) + len(line) + len(argument) + 2 > WIDTH:
            yield line
            line = ""
        line = f"{line} {argument}," if line else f"{argument},"
        if len(INDENT) + len(line) > WIDTH:
            *full, line = _continued(line)
            yield from full
    yield line


def _continued(argument: str) -> list[str]:
    """`name="a long text",` as adjacent literals, one a line."""
    parts = textwrap.wrap(argument, WIDTH - len(INDENT) - 2, break_long_words=False, break_on_hyphens=False)
    return [(part if not i else f'"{part}') + (' "' if i < len(parts) - 1 else "") for i, part in enumerate(parts)]


def _bases(cls: Class, names: Names) -> Iterator[str]:
    if cls.item:
        yield f"{names.spell(Ref('ObjectList', OBJECT_LIST))}[{cls.item}]"
    elif cls.gvk:
        yield names.spell(Ref("Object", OBJECT))
    else:
        yield names.spell(Ref("Struct", MODEL))


def _facts(cls: Class) -> Iterator[str]:
    if cls.gvk:
        yield f"gvk={literal(cls.gvk)}"
    if cls.resource:
        yield from _resource(cls.resource, cls.kind.lower())
    if cls.map_type:
        yield f"map_type={literal(cls.map_type)}"


def _resource(resource: Resource, usual_singular: str) -> Iterator[str]:
    """How a kind is served, without what goes without saying."""
    yield f"resource={literal(resource.plural)}"
    if resource.singular and resource.singular != usual_singular:
        yield f"singular={literal(resource.singular)}"
    if not resource.namespaced:
        yield "namespaced=False"
    if resource.short_names:
        yield f"short_names={literal(' '.join(resource.short_names))}"
    if resource.categories:
        yield f"categories={literal(' '.join(resource.categories))}"
    if resource.verbs != USUAL_VERBS:
        yield f"verbs={literal(' '.join(resource.verbs))}"
    if resource.subresources:
        yield f"subresources={literal(' '.join(map(_subresource, resource.subresources)))}"


def _subresource(sub: Subresource) -> str:
    verbs = "" if sub.verbs == USUAL_SUBRESOURCE_VERBS else f":{','.join(sub.verbs)}"
    return sub.name + verbs + (f"={sub.gvk}" if sub.gvk else "")


# ---- fields


def _field(field: Field, names: Names) -> str:
    """One line, or one an argument where that would be too long."""
    annotation = field.type.text(names.spell)
    if len(f"{INDENT}{field.name}: {annotation} = field(") > WIDTH and _is_choice(field.type):
        annotation = field.type.text(names.spell, INDENT)
    head = f"{INDENT}{field.name}: {annotation} = "
    if camel(field.name) == field.wire and not field.facts:
        return head + names.spell(Ref("unset", MODEL))
    call = names.spell(Ref("field", MODEL))
    wire = [] if camel(field.name) == field.wire else [literal(field.wire)]
    line = f"{head}{call}({', '.join([*wire, *(f'{name}={literal(value)}' for name, value in field.facts.items())])})"
    if len(line.rpartition("\n")[2]) <= WIDTH:
        return line
    deeper = INDENT * 2
    arguments = wire + [f"{name}={pretty(value, deeper, len(name) + 1)}" for name, value in field.facts.items()]
    return f"{head}{call}(\n" + "".join(f"{deeper}{argument},\n" for argument in arguments) + f"{INDENT})"


def _is_choice(type_: Type) -> bool:
    return type_.shape == "literal" or any(_is_choice(part) for part in type_.parts if isinstance(part, Type))


def pretty(value: object, indent: str, before: int) -> str:
    """A literal on one line, or one item a line where that would be too long.

    `before` is how many letters stand between the indentation and the value.
    """
    line = literal(value)
    if len(indent) + before + len(line) + 1 <= WIDTH or not isinstance(value, (dict, list, tuple)) or not value:
        return line
    deeper = indent + INDENT
    if isinstance(value, dict):
        heads = [f"{literal(key)}: " for key in value]
        items = [head + pretty(item, deeper, len(head)) for head, item in zip(heads, value.values(), strict=True)]
    else:
        items = [pretty(item, deeper, 0) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else "()"
    return opening + "\n" + "".join(f"{deeper}{item},\n" for item in items) + indent + closing

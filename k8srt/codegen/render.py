"""Modules as data → Python text: a class per definition, a line per field, the same bytes every time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from k8srt.apimachinery.model import camel
from k8srt.apimachinery.resource import USUAL_SUBRESOURCE_VERBS, USUAL_VERBS
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
    literal,
)

WIDTH = 120
INDENT = "    "
HEAD = "from __future__ import annotations\n"


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
    bodies = [_class(cls, names) for cls in tree.classes]
    return "\n".join([_docstring(tree.doc), HEAD, names.imports(), *("\n" + body for body in bodies)])


def _docstring(doc: str) -> str:
    return f'"""{doc}"""\n'


# ---- classes


def _class(cls: Class, names: Names) -> str:
    header = f"class {cls.name}({_arguments(cls, names)}):"
    if not cls.fields:
        return f"{header} ...\n"
    lines = [INDENT + _field(field, names) for field in cls.fields]
    if cls.schema:
        lines.insert(0, f"{INDENT}__schema__ = {literal(cls.schema)}\n")
    return "\n".join([header, *lines, ""])


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
    head = f"{field.name}: {field.type.text(names.spell)} = "
    arguments = [f"{name}={literal(value)}" for name, value in field.facts.items()]
    if camel(field.name) != field.wire:
        arguments.insert(0, literal(field.wire))
    if not arguments:
        return head + names.spell(Ref("unset", MODEL))
    call = names.spell(Ref("field", MODEL))
    line = f"{head}{call}({', '.join(arguments)})"
    if len(line) <= WIDTH - len(INDENT):
        return line
    return f"{head}{call}(\n" + "".join(f"{INDENT * 2}{argument},\n" for argument in arguments) + f"{INDENT})"

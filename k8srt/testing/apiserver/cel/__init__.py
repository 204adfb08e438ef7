"""The Common Expression Language, as far as rules of definitions, match conditions and policies use it.

    program = compile_rule("self.min <= self.max", {"self": type_of_schema(schema)})
    program.evaluate({"self": value})

Expressions are read (`lexer`, `parser`), checked against the types of their variables (`checker`) and walked
(`evaluator`). What they can call stands in tables of overloads (`functions` and its neighbours).
"""

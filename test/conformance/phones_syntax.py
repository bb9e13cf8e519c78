"""Parses the sources of a folder with the grammars of Kotlin and Swift that editors use: prints what is no syntax of theirs as JSON."""

import json
import os
import sys

import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language, Parser

GRAMMARS = {".kt": tree_sitter_kotlin, ".kts": tree_sitter_kotlin, ".swift": tree_sitter_swift}
folder = sys.argv[1]


def problems(node):
    """The innermost nodes that are errors, or that the grammar misses."""
    if node.is_missing or (node.is_error and not any(child.has_error for child in node.children)):
        yield node
    elif node.has_error:
        for child in node.children:
            yield from problems(child)


def checked(name):
    grammar = GRAMMARS[os.path.splitext(name)[1]]
    with open(os.path.join(folder, name), "rb") as file:
        tree = Parser(Language(grammar.language())).parse(file.read())
    found = [f"line {node.start_point[0] + 1}: {node.text.decode()[:60]}" for node in problems(tree.root_node)]
    names = [child.type for child in tree.root_node.children]
    return {"name": name, "problems": found, "parts": len(names)}


print(json.dumps([checked(name) for name in sorted(os.listdir(folder))]))

"""CUDA C to the plain C that pycparser reads, line by line the same. (Chapter 11.)

What C has no word for is written with a storage class that kernels have no use for:
`extern` marks a kernel, `static` a device function, `_Thread_local` shared memory.
Templates are written out, one copy for each list of arguments.
"""

from dataclasses import replace

from . import kinds
from .faults import CompileError
from .tokens import Token, matching, preprocess, split

KERNEL, DEVICE, SHARED = "extern", "static", "_Thread_local"
WORDS = {  # CUDA's or C++'s word: C's
    "__global__": KERNEL,
    "__device__": DEVICE,
    "__shared__": SHARED,
    "__forceinline__": "inline",
    "__inline__": "inline",
    "__noinline__": "",
    "__restrict__": "restrict",
    "constexpr": "const",
    "bool": "_Bool",
    "true": "1",
    "false": "0",
    "nullptr": "0",
}
INSTEAD = {  # what is not read: what to write in its place
    "<<<": "the launch stands in Python: kernel(grid, block, args)",
    "__constant__": "pass a const pointer",
    "__managed__": "pass a pointer",
    "__host__": "a kernel file holds device code only",
    "auto": "write the type",
    "class": "a struct of plain fields",
    "new": "a local array of constant size",
    "printf": "store the value in an array and look at it in Python",
    "asm": "the C expression",
    "goto": "a loop with break or continue",
    "union": "__float_as_int and its like",
    "enum": "#define or const int",
    "virtual": "a function",
    "operator": "a function",
    "namespace": "nothing: names are global",
    "using": "the name itself",
    "static_assert": "a check in Python before the launch",
    "::": "the CUDA C function, such as __shfl_down_sync",
    "__align__": "float2 or float4, which are aligned",
    "alignas": "float2 or float4, which are aligned",
}
TYPE_WORDS = {"int", "unsigned", "float", "double", "char", "short", "long", "signed"}


def translate(source, wanted=()):
    """(C text, structure names, {template instance: mangled name}) of CUDA C source.

    `wanted` are instances asked for by name, such as "reduce<float, 256>".
    """
    stream = preprocess(source)
    refuse(stream, source)
    stream, templates = taken_out(without_linkage(stream, source), source)
    instances, queue = {}, []
    for name in wanted:
        parsed = preprocess(name)
        instance(parsed, 0, templates, instances, queue, source)
    stream = written_out(stream, templates, instances, queue, source)
    while queue:
        copy = queue.pop(0)
        stream += written_out(copy, templates, instances, queue, source)
    structs = [
        b.text
        for a, b in zip(stream, stream[1:])
        if a.text == "struct" and b.kind == "name"
    ]
    stream = in_c(stream, source)
    return laid_out(stream, dict.fromkeys(structs)), structs, instances


def refuse(stream, source):
    for token in stream:
        if token.text in INSTEAD:
            raise CompileError(
                f"`{token.text}` is not read here; instead: {INSTEAD[token.text]}",
                token.line,
                source,
            )


def without_linkage(stream, source):
    """Without `extern "C"`, whether before one function or around a block."""
    out, i = [], 0
    while i < len(stream):
        if stream[i].text == "extern" and following(stream, i) == '"C"':
            i += 2
            if following(stream, i - 1) == "{":
                close = matching(stream, i, source)
                stream = stream[:i] + stream[i + 1 : close] + stream[close + 1 :]
        elif stream[i].text == "__launch_bounds__":
            i = matching(stream, i + 1, source) + 1
        else:
            out.append(stream[i])
            i += 1
    return out


def following(stream, i):
    """The text of the token behind place i; none at the end."""
    return stream[i + 1].text if i + 1 < len(stream) else ""


def taken_out(stream, source):
    """(the rest, {name: (parameters, tokens)}) with the templates taken out."""
    rest, templates, i = [], {}, 0
    while i < len(stream):
        if stream[i].text != "template":
            rest.append(stream[i])
            i += 1
            continue
        close = matching(stream, i + 1, source)
        given = split(stream[i + 2 : close])
        if not all(given) or any(t.text == "=" for part in given for t in part):
            raise CompileError(
                "a template needs parameters without defaults: write a function of "
                "another name for a special case",
                stream[i].line,
                source,
            )
        parameters = [part[-1].text for part in given]
        texts = [t.text for t in stream]
        start = texts.index("(", close) if "(" in texts[close:] else len(texts)
        opening = matching(stream, start, source) + 1
        if following(stream, opening - 1) != "{":
            raise CompileError(
                "a template is read only with its body", stream[i].line, source
            )
        end = matching(stream, opening, source) + 1
        templates[stream[start - 1].text] = parameters, stream[close + 1 : end]
        i = end
    return rest, templates


def instance(stream, i, templates, instances, queue, source):
    """(mangled name, next place) of `name<arguments>` at place i; queues its copy."""
    name = stream[i].text
    if name not in templates:
        raise CompileError(f"there is no template `{name}`", None, source)
    if i + 1 == len(stream) or stream[i + 1].text != "<":
        raise CompileError(
            f"`{name}` is a template: write its arguments, as in {name}<float>",
            stream[i].line,
            source,
        )
    close = matching(stream, i + 1, source)
    parameters, body = templates[name]
    given = split(stream[i + 2 : close])
    if len(given) != len(parameters):
        raise CompileError(
            f"{name}<> takes {len(parameters)} arguments, found {len(given)}",
            stream[i].line,
            source,
        )
    words = ["_".join(t.text for t in part) for part in given]
    mangled = "__".join([name, *words]).replace("*", "p")
    key = f"{name}<{', '.join(' '.join(t.text for t in part) for part in given)}>"
    if key not in instances:
        instances[key] = mangled
        by_name = dict(zip(parameters, given))
        by_name[name] = [Token("name", mangled, 0)]
        queue.append(
            [
                replace(new, line=token.line)
                for token in body
                for new in by_name.get(token.text, [token])
            ]
        )
    return mangled, close + 1


def written_out(stream, templates, instances, queue, source):
    """`stream` with each use of a template replaced by the name of its copy."""
    out, i = [], 0
    while i < len(stream):
        token = stream[i]
        if token.text in templates:
            mangled, i = instance(stream, i, templates, instances, queue, source)
            out.append(replace(token, text=mangled))
        else:
            out.append(token)
            i += 1
    return out


def in_c(stream, source):
    """C++ casts as C casts, and CUDA's words as C's."""
    out, i = [], 0
    while i < len(stream):
        token = stream[i]
        if token.text in ("reinterpret_cast", "static_cast", "const_cast"):
            close = matching(stream, i + 1, source)
            kind, start = stream[i + 2 : close], close + 1
        elif following(stream, i) == "(" and (
            token.text in kinds.SCALARS and token.text in TYPE_WORDS
        ):
            kind, start = [token], i + 1
        else:
            word = WORDS.get(token.text, token.text)
            out += [replace(token, text=word)] if word else []
            i += 1
            continue
        end = matching(stream, start, source)
        inner = in_c(stream[start : end + 1], source)
        out += [mark("((", token), *in_c(kind, source), mark(")", token), *inner]
        out += [mark(")", token)]
        i = end + 1
    return out


def mark(text, token):
    return Token("mark", text, token.line)


def laid_out(stream, structs):
    """The tokens as text, each on its own line; copies of templates start anew."""
    names = [n for n in kinds.NAMED if " " not in n and n not in TYPE_WORDS]
    names = [n for n in names if n not in ("bool", "_Bool")]
    prelude = "".join(f"typedef int {name};" for name in names)
    prelude += "".join(f"typedef struct {name} {name};" for name in structs)
    parts, line = [prelude, "\n#line 1\n"], 1
    for token in stream:
        if token.line < line:
            parts.append(f"\n#line {token.line}\n")
        else:
            parts.append("\n" * (token.line - line))
        line = token.line
        parts.append(token.text + " ")
    return "".join(parts)

"""CUDA C as tokens, its macros expanded. (Chapter 11.)

A token keeps the line it came from, through every rewriting up to the generated code,
so that a fault can name it.
"""

import re
from dataclasses import dataclass, replace

from .faults import CompileError

LEXER = re.compile(
    r"""(?P<space>[ \t\r\f\v]+|\\\r?\n)
      | (?P<newline>\n)
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<number>0[xX][0-9a-fA-F]+[uUlL]*
            |(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[fFuUlL]*)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<mark><<<|>>>|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||::|[-+*/%&|^]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    line: int


def tokens(source):
    """Every token but space; newlines are kept, for the directives."""
    line, out = 1, []
    for match in LEXER.finditer(source):
        kind, text = match.lastgroup, match.group()
        if kind not in ("space", "comment"):
            out.append(Token(kind, text, line))
        line += text.count("\n")
    return out


def lines_of(stream):
    """Lists of tokens, one a line."""
    row = []
    for token in stream:
        if token.kind == "newline":
            yield row
            row = []
        else:
            row.append(token)
    yield row


def preprocess(source):
    """The tokens of `source` after its directives: macros expanded, #if decided."""
    macros, out, reading = {}, [], []
    pending = []  # ordinary lines since the last directive; a call may span lines
    for row in lines_of(tokens(source)):
        if row and row[0].text == "#":
            if all(reading):
                out += expand(pending, macros, source)
                pending = []
            directive(row, macros, reading, source)
        elif all(reading):
            pending += row
    if reading:
        raise CompileError("an #if is never closed by #endif", None, source)
    return out + expand(pending, macros, source)


def directive(row, macros, reading, source):
    """Obeys one # line: changes `macros` and the stack `reading` of open #ifs."""
    name, rest, line = (row[1].text if row[1:] else ""), row[2:], row[0].line
    if name in ("ifdef", "ifndef", "define", "undef") and (
        not rest or rest[0].kind != "name"
    ):
        raise CompileError(f"#{name} needs a name", line, source)
    if name in ("ifdef", "ifndef"):
        reading.append((rest[0].text in macros) == (name == "ifdef"))
    elif name == "if":
        skipped = not all(reading)
        reading.append(skipped or decided(expand(rest, macros, source), line, source))
    elif name in ("else", "endif"):
        if not reading:
            raise CompileError(f"#{name} without #if", line, source)
        last = reading.pop()
        reading += [not last] if name == "else" else []
    elif not all(reading) or name in ("include", "pragma", ""):
        pass
    elif name == "define":
        macros[rest[0].text] = macro(rest, line, source)
    elif name == "undef":
        macros.pop(rest[0].text, None)
    else:
        raise CompileError(
            f"#{name} is not read here: #define, #undef, #ifdef, #ifndef, #if, #else, "
            "#endif, #include and #pragma unroll are",
            line,
            source,
        )


def decided(row, line, source):
    """Whether an #if of one integer holds."""
    if len(row) == 1 and row[0].text.rstrip("uUlL").isdecimal():
        return int(row[0].text.rstrip("uUlL")) != 0
    raise CompileError("#if reads one integer or macro; use #ifdef", line, source)


def macro(rest, line, source):
    """(parameters or None, body). A "(" right behind the name makes a function."""
    name, body = rest[0], rest[1:]
    text = source.splitlines()[line - 1]
    if not re.search(rf"define\s+{name.text}\(", text):
        return None, body
    close = next((i for i, t in enumerate(body) if t.text == ")"), None)
    if close is None or any(t.text in ("#", "##", ".") for t in body[: close + 1]):
        raise CompileError("these macro parameters are not read here", line, source)
    return [t.text for t in body[1:close] if t.text != ","], body[close + 1 :]


def expand(stream, macros, source, hidden=frozenset()):
    """`stream` with each macro replaced; a macro is not expanded inside itself."""
    out, i = [], 0
    while i < len(stream):
        token = stream[i]
        i += 1
        if token.text not in macros or token.text in hidden:
            out.append(token)
            continue
        parameters, body = macros[token.text]
        if parameters is not None:
            if i == len(stream) or stream[i].text != "(":
                out.append(token)
                continue
            close = matching(stream, i, source)
            given = split(stream[i + 1 : close])
            given = [expand(part, macros, source, hidden) for part in given]
            i = close + 1
            body = substituted(token, parameters, given, body, source)
        body = [replace(t, line=token.line) for t in body]
        out += expand(body, macros, source, hidden | {token.text})
    return out


def substituted(token, parameters, given, body, source):
    if len(given) != len(parameters) and (parameters or given != [[]]):
        raise CompileError(
            f"the macro {token.text} takes {len(parameters)} arguments, found "
            f"{len(given)}",
            token.line,
            source,
        )
    by_name = dict(zip(parameters, given))
    return [t for b in body for t in by_name.get(b.text, [b])]


PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


def matching(stream, start, source):
    """The place of the bracket that closes the one at `start`."""
    if start >= len(stream) or stream[start].text not in PAIRS:
        before = stream[min(start, len(stream)) - 1] if stream and start else None
        line = before.line if before else None
        raise CompileError("a bracket is missing here", line, source)
    opening, closing, depth = stream[start].text, PAIRS[stream[start].text], 0
    for i in range(start, len(stream)):
        depth += (stream[i].text == opening) - (stream[i].text == closing)
        depth -= 2 * (closing == ">" and stream[i].text == ">>")
        if depth <= 0:
            return i
    raise CompileError(f"this {opening} is never closed", stream[start].line, source)


def split(stream):
    """The arguments in `stream`: parts between commas outside of brackets."""
    parts, depth = [[]], 0
    for token in stream:
        depth += (token.text in "([{") - (token.text in ")]}")
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts

"""A report as a list of parts, written as Markdown or as a page of HTML. A text or cell that begins and ends with ** is bold."""
import html
import json

STYLE = ("body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#222}"
         "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #bbb;padding:.3em .7em;text-align:right}"
         "td:first-child,th:first-child{text-align:left}th{background:#eef2f6;vertical-align:bottom}strong{color:#a40000}")


def heading(level, text):
    return "heading", level, text


def text(words):
    return "text", words


def table(head, rows):
    return "table", head, rows


def markdown(parts):
    lines = []
    for kind, *part in parts:
        if kind == "heading":
            lines += ["#" * part[0] + " " + part[1], ""]
        elif kind == "text":
            lines += [part[0], ""]
        else:
            head, rows = part
            cells = [[cell.replace("|", "\\|") for cell in row] for row in [head, *rows]]
            lines += ["| " + " | ".join(cells[0]) + " |", "|-" * len(head) + "|"]
            lines += ["| " + " | ".join(row) + " |" for row in cells[1:]] + [""]
    return "\n".join(lines)


def page(parts):
    lines = ["<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
             f"<title>{html.escape(parts[0][2])}</title>", f"<style>{STYLE}</style>", "</head>", "<body>"]
    for kind, *part in parts:
        if kind == "heading":
            lines.append(f"<h{part[0]}>{html.escape(part[1])}</h{part[0]}>")
        elif kind == "text":
            lines.append(f"<p>{inline(part[0])}</p>")
        else:
            head, rows = part
            lines += ["<table>", "<thead><tr>" + "".join(f"<th>{inline(cell)}</th>" for cell in head) + "</tr></thead>", "<tbody>"]
            lines += ["<tr>" + "".join(f"<td>{inline(cell)}</td>" for cell in row) + "</tr>" for row in rows]
            lines += ["</tbody>", "</table>"]
    return "\n".join(lines + ["</body>", "</html>", ""])


def inline(words):
    bold = len(words) > 4 and words.startswith("**") and words.endswith("**")
    return f"<strong>{html.escape(words[2:-2])}</strong>" if bold else html.escape(words)


def write(parts, file):
    """To a file: HTML where its name ends in .html, Markdown otherwise."""
    with open(file, "w", encoding="utf-8") as f:
        f.write(page(parts) if file.endswith(".html") else markdown(parts))


def give(arguments, parts, answer):
    """Prints the report, and writes it and the answer where --report and --json say."""
    print(markdown(parts))
    if arguments.report:
        write(parts, arguments.report)
    if arguments.json:
        with open(arguments.json, "w") as f:
            json.dump(answer, f, indent=2)

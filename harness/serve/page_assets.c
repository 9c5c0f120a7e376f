/*
 * page_assets.c - "/style.css", "/live.js" and "/icon.svg": what all pages share. A browser keeps them and
 * asks with their hash whether they are still the same.
 */
#include "serve/page.h"

#include "base/hash.h"
#include "reports/html_writer.h"

static void add_etag(const struct visit *visit, struct answer *answer)
{
	char hash[HASH_TEXT_BYTES];

	hash_chain("", text_str(&answer->body), answer->body.length_bytes, hash);
	answer->etag = arena_format(visit->arena, "\"%.16s\"", hash);
}

static const char style[] =
	".bar,main{max-width:1120px;margin:0 auto;padding:0 24px}\n"
	".bar nav{display:flex;flex-wrap:wrap;gap:4px 20px;align-items:baseline;padding:12px 0}\n"
	".brand{font-weight:800;letter-spacing:-.01em}\n"
	"a{color:inherit;text-underline-offset:3px}\n"
	"a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,"
	"summary:focus-visible{outline:3px solid var(--met);outline-offset:2px;border-radius:3px}\n"
	"nav a[aria-current]{font-weight:700;text-decoration-thickness:3px}\n"
	".skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;padding:8px;"
	"background:var(--card)}\n"
	"h1{font-size:1.7rem;line-height:1.2;margin:16px 0 20px}\n"
	".files p{margin:0 0 12px}\n"
	".choice{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;margin:0 0 16px}\n"
	".choice input,.choice select,.choice button{font:inherit;color:inherit;padding:6px 10px;"
	"background:var(--card);border:1px solid var(--muted);border-radius:6px;max-width:100%}\n"
	".choice button{font-weight:600;cursor:pointer}\n"
	".there{display:block;font-weight:400}\n"
	".pair{display:flex;gap:8px;align-items:center;max-width:100%}.pair select,.pair input{min-width:0}\n"
	".paging{display:flex;gap:20px;padding:4px 0 24px}\n"
	".two span span{display:block;white-space:nowrap}.moment{color:var(--muted);font-size:.88rem}\n"
	".runs .word{white-space:nowrap}\n"
	"details{padding:4px}summary{cursor:pointer;color:var(--muted);font-size:.9rem;padding:6px 4px}\n"
	"figcaption:first-child{padding:2px 4px 8px;font-weight:600;color:var(--ink)}"
	".card+.card{margin-top:16px}\n"
	".trend{display:block;width:100%;min-width:860px;height:auto}\n"
	".trend text{font-size:12px;fill:var(--muted);text-anchor:end}"
	".trend .first,.trend .scale{text-anchor:start}\n"
	".trend .sign{text-anchor:middle;fill:var(--ink);font-weight:700;paint-order:stroke;"
	"stroke:var(--card);stroke-width:4px}\n"
	".trend .grid{stroke:var(--line)}.trend .touch{fill:transparent}"
	".trend a:hover .touch{fill:var(--none-wash)}\n"
	".trend .target{stroke:var(--ink);stroke-width:2;stroke-dasharray:5 3}\n"
	".trend .stem{fill:var(--line)}.trend .bar-none{fill:var(--none)}"
	".trend .bar-met{fill:var(--met)}.trend .bar-missed{fill:var(--missed)}"
	".trend .bar-inconclusive{fill:var(--inconclusive)}\n"
	/* The newest drill is at the end, and seen first where the chart is wider than the screen. */
	".newest{direction:rtl}.newest>*{direction:ltr}\n"
	".state .word,.state a{display:block;white-space:nowrap}\n"
	".matrix td,.matrix th{font-size:.88rem;padding:6px 9px}\n"
	".services tbody th,.wide tbody th{min-width:7em}body:has(.matrix)>*{max-width:1680px}\n"
	".matrix tbody th{position:sticky;left:0;background:var(--card);white-space:nowrap}\n"
	".wash-met{background:var(--met-wash)}.wash-missed{background:var(--missed-wash)}"
	".wash-inconclusive{background:var(--inconclusive-wash)}\n"
	".id{color:var(--muted);white-space:nowrap}\n"
	"@media (max-width:640px){.bar,main{padding:0 16px}.id{white-space:normal}"
	".matrix td::before{flex-basis:11em}.matrix tbody th{white-space:normal}}\n"
	"@media print{.bar,.skip,.choice,.choices,.paging{display:none}}\n";

/* What people do something with, the calendar, and strips. */
static const char more_style[] =
	".bar{display:flex;flex-wrap:wrap;gap:0 24px;align-items:center;justify-content:space-between}\n"
	".bar.files{display:block}.caller{margin:0;padding:8px 0;display:flex;gap:10px;align-items:center}\n"
	".act,.deed button,.caller button{font:inherit;font-weight:600;color:inherit;cursor:pointer;"
	"display:inline-block;padding:6px 12px;background:var(--card);border:1px solid var(--muted);"
	"border-radius:6px;text-decoration:none}\n"
	".act:hover,.deed button:hover,.caller button:hover{border-color:var(--ink)}\n"
	".choices{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;margin:0 0 16px}"
	".verdict+main .choices{margin-top:16px}\n"
	".deed{max-width:640px}.deed label{display:block;font-weight:600;margin:16px 0 6px}\n"
	".deed input{font:inherit;color:inherit;width:100%;box-sizing:border-box;padding:8px 10px;"
	"background:var(--card);border:1px solid var(--muted);border-radius:6px}\n"
	".deed .choices{margin-top:16px}\n"
	".plain{list-style:none;margin:0;padding:0}.plain li{margin:0 0 4px}\n"
	".month{border-collapse:collapse;width:100%;table-layout:fixed}\n"
	".month caption{text-align:left;font-weight:600;padding:4px 0 8px}.month abbr{text-decoration:none}\n"
	".month th,.month td{border:1px solid var(--line);padding:6px;vertical-align:top;text-align:left;"
	"font-size:.82rem}\n"
	".month th{color:var(--muted)}.month td{height:64px;overflow-wrap:anywhere}\n"
	".month td[aria-current]{outline:2px solid var(--ink);outline-offset:-2px}\n"
	".month time{font-weight:700}.month ul{list-style:none;margin:4px 0 0;padding:0}"
	".month li{margin:0 0 3px}.month .empty{color:var(--muted)}\n"
	".strip{margin:0 0 10px}.strip span{display:block;font-size:.9rem}"
	".strip svg{display:block;width:100%;height:18px;background:var(--none-wash)}\n"
	".cell-good{fill:var(--met)}.cell-bad{fill:var(--missed)}.cell-mixed{fill:var(--inconclusive)}"
	".cell-unseen{fill:var(--none)}.now-bad{color:var(--missed)}.now-good{color:var(--met)}\n"
	"@media (max-width:640px){.month,.month tbody,.month tr,.month td{display:block}"
	".month caption{display:block}.month thead,.month .empty{display:none}.month td{height:auto}"
	".month td::before{content:attr(data-day)\" \";color:var(--muted)}}\n";

static bool write_style(const struct visit *visit, struct answer *answer, struct err *e)
{
	(void)e;
	html_style(&answer->body);
	text_add(&answer->body, style);
	text_add(&answer->body, more_style);
	add_etag(visit, answer);
	return true;
}

/* Foreign text only ever becomes the text of a cell; the strips are ours, and escaped by us. */
static const char live[] =
	"\"use strict\";\n"
	"const live = document.getElementById(\"live\");\n"
	"const rows = live && live.querySelector(\"tbody\");\n"
	"const heads = [\"After\", \"Phase\", \"Event\", \"Host\", \"What\"];\n"
	"function show(event) {\n"
	"  const row = document.createElement(\"tr\");\n"
	"  const after = \"+\" + (event.after_ns / 1e9).toFixed(3) + \" s\";\n"
	"  [after, event.phase, event.kind, event.host || \"\", event.text].forEach((text, i) => {\n"
	"    const cell = document.createElement(i === 0 ? \"th\" : \"td\");\n"
	"    const span = document.createElement(\"span\");\n"
	"    span.textContent = text;\n"
	"    cell.dataset.label = heads[i];\n"
	"    cell.className = [\"when number\", \"phase\"][i] || \"\";\n"
	"    if (i === 0) cell.scope = \"row\";\n"
	"    cell.append(span);\n"
	"    row.append(cell);\n"
	"  });\n"
	"  rows.append(row);\n"
	"  document.getElementById(\"phase\").textContent = event.phase;\n"
	"}\n"
	"const strips = document.getElementById(\"strips\");\n"
	"async function look() {\n"
	"  const answer = await fetch(strips.dataset.strips).catch(() => null);\n"
	"  if (answer && answer.ok) strips.innerHTML = await answer.text();\n"
	"  setTimeout(look, 1000);\n"
	"}\n"
	"if (strips) setTimeout(look, 1000);\n"
	"if (rows) {\n"
	"  const source = new EventSource(live.dataset.events);\n"
	"  source.onmessage = (message) => show(JSON.parse(message.data));\n"
	"  source.addEventListener(\"end\", () => { source.close(); location.reload(); });\n"
	"}\n";

static bool write_live(const struct visit *visit, struct answer *answer, struct err *e)
{
	(void)e;
	text_add(&answer->body, live);
	add_etag(visit, answer);
	return true;
}

static bool write_icon(const struct visit *visit, struct answer *answer, struct err *e)
{
	(void)e;
	text_add(&answer->body, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">"
				"<rect width=\"16\" height=\"16\" rx=\"3\" fill=\"#b3231f\"/>"
				"<path d=\"M4 3h8v2.4H6.8V7H11v2.4H6.8V13H4z\" fill=\"#fdfdfe\"/></svg>\n");
	add_etag(visit, answer);
	return true;
}

const struct page page_style = {
	.path = "/style.css",
	.content_type = "text/css; charset=utf-8",
	.write = write_style,
};

const struct page page_live = {
	.path = "/live.js",
	.content_type = "text/javascript; charset=utf-8",
	.write = write_live,
};

const struct page page_icon = {
	.path = "/icon.svg",
	.content_type = "image/svg+xml",
	.write = write_icon,
};

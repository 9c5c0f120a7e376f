/*
 * html_style.c - how the page looks: on a desk, on a phone, in the dark and on paper.
 *
 * The picture is drawn in the light colours of picture_parts.h; the table below gives each its
 * partner for the dark, by attribute, so that the drawing itself stays plain SVG.
 */
#include "reports/html_parts.h"

#include "reports/picture_parts.h"

struct colour_pair {
	const char *light;
	const char *dark;
};

static const struct colour_pair dark_colours[] = {
	{ PICTURE_PAPER, "#161c23" }, { PICTURE_INK, "#e8edf2" },  { PICTURE_MUTED, "#a3b0bd" },
	{ PICTURE_GRID, "#2a323b" },  { PICTURE_FRAME, "#4d5966" }, { PICTURE_WASH, "#2c1f22" },
	{ PICTURE_BAD, "#ff6b62" },   { PICTURE_MIXED, "#c2554f" }, { PICTURE_GOOD, "#57c785" },
	{ PICTURE_AMBER, "#f0b04a" }, { PICTURE_SOFT, "#7d8b99" },
};

static const char *const dark_probes[PICTURE_PROBES_MAX] = {
	"#6cb0f5", "#4cc9c4", "#c699e0", "#d8a763", "#a9bac4",
};

static const char light[] =
	":root{color-scheme:light dark;--paper:#f4f6f8;--card:#fff;--ink:#1b2530;--muted:#566270;"
	"--line:#d9dfe5;--met:#1b6e43;--missed:#b3231f;--inconclusive:#8a5300;--none:#4a5663;"
	"--met-wash:#e6f4ec;--missed-wash:#fdecea;--inconclusive-wash:#fdf2df;--none-wash:#edf0f3}"
	"\n";

static const char dark[] =
	":root{--paper:#0f1419;--card:#161c23;--ink:#e8edf2;--muted:#a3b0bd;--line:#2f3943;"
	"--met:#57c785;--missed:#ff8a82;--inconclusive:#f0b04a;--none:#a9b6c2;--met-wash:#14291f;"
	"--missed-wash:#331c1d;--inconclusive-wash:#2f2514;--none-wash:#222a33}\n";

static const char base[] =
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--paper);color:var(--ink);overflow-wrap:anywhere;"
	"font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Liberation Sans\","
	"\"DejaVu Sans\",sans-serif}\n"
	"header>div,main,footer{max-width:1120px;margin:0 auto;padding:0 24px}\n"
	".verdict{color:#fff;background:#4a5663;padding:28px 0 24px}\n"
	".verdict.tone-met{background:#1b6e43}.verdict.tone-missed{background:#b3231f}"
	".verdict.tone-inconclusive{background:#8a5300}\n"
	".verdict p,.verdict h1{margin:0;overflow:hidden;max-height:12em}\n"
	".headline{font-size:clamp(2.5rem,8vw,4.25rem);line-height:1.05;font-weight:800;"
	"letter-spacing:-.01em}\n"
	".sentence{font-size:clamp(1.15rem,3.4vw,1.6rem);line-height:1.3;font-weight:600;"
	"padding:8px 0 18px}\n"
	".verdict h1{font-size:1.05rem;font-weight:700}\n"
	".verdict .when{padding-top:8px;font-size:.9rem}\n"
	"section,footer{margin:36px 0 0}\nfooter{margin:44px auto 48px}\n"
	"h2{font-size:1.25rem;line-height:1.25;margin:0 0 12px}\n"
	"p,ul,dl{margin:0 0 12px}ul{padding-left:1.2em}\n"
	".scroll{overflow-x:auto;border-radius:8px;margin:0 0 14px}.card .scroll{margin:0}\n"
	".scroll:focus-visible{outline:3px solid var(--met);outline-offset:2px}\n"
	"table{width:100%;border-collapse:collapse;background:var(--card);border-radius:8px;"
	"font-variant-numeric:tabular-nums;overflow-wrap:break-word}\n"
	"td>span,th>span{display:block;max-width:34em;max-height:26em;overflow:auto}\n"
	".number>span{margin-left:auto}\n"
	"th,td{padding:9px 14px;text-align:left;vertical-align:top;"
	"border-bottom:1px solid var(--line)}\n"
	"tbody tr:last-child>*{border-bottom:0}\n"
	"thead th{overflow-wrap:normal;font-size:.82rem;font-weight:600;color:var(--muted);"
	"vertical-align:bottom}\n"
	"tbody th{font-weight:600}\n"
	".number{text-align:right;white-space:nowrap}.when{white-space:nowrap;color:var(--muted)}\n"
	".verdict .when{color:#fff;white-space:normal}\n"
	".wide td,.wide th{padding:8px 10px;font-size:.88rem}\n"
	".events tbody th{font-weight:400}.events td,.events th{padding:5px 12px;font-size:.9rem}\n"
	".phase{font-weight:700}\n"
	".objectives td,.objectives th{font-size:1.05rem}.objectives thead th{font-size:.82rem}\n"
	".observed{font-weight:700}\n"
	".word{font-weight:700}.word.tone-met{color:var(--met)}"
	".word.tone-missed{color:var(--missed)}"
	".word.tone-inconclusive{color:var(--inconclusive)}.word.tone-none{color:var(--none)}\n"
	".reasons{list-style:none;padding:0;margin:12px 0 0}\n"
	".reasons li{padding:10px 14px;margin:0 0 8px;border-radius:8px;"
	"background:var(--none-wash);"
	"border-left:5px solid var(--none)}\n"
	".reasons .tone-missed{background:var(--missed-wash);border-color:var(--missed)}\n"
	".reasons .tone-inconclusive{background:var(--inconclusive-wash);"
	"border-color:var(--inconclusive)}\n"
	".alarm{padding:16px 20px 6px;border:3px solid var(--missed);border-radius:8px;"
	"background:var(--missed-wash)}\n"
	".card{margin:0;padding:12px;background:var(--card);border-radius:8px}\n"
	".picture{display:block;width:100%;min-width:860px;height:auto}\n"
	".hint{display:none}figcaption{padding:10px 4px 2px;font-size:.9rem;color:var(--muted)}\n"
	"footer{font-size:.94rem}footer h2{margin-top:28px}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px}dt{color:var(--muted)}"
	"dd{margin:0}\n"
	"code{font-family:ui-monospace,\"DejaVu Sans Mono\",monospace;font-size:.92em}\n";

static const char phone[] =
	"@media (max-width:640px){header>div,main,footer{padding-left:16px;padding-right:16px}\n"
	".stack,.stack tbody,.stack tr,.stack th,.stack td{display:block;width:auto}\n"
	".stack thead{display:none}\n"
	".stack tr{padding:8px 0;border-bottom:1px solid var(--line)}"
	".stack tr:last-child{border-bottom:0}\n"
	".stack th,.stack td{border:0;padding:3px 14px;display:flex;gap:12px}\n"
	".stack tbody th{font-size:1.1rem;padding-top:6px}\n"
	".stack td::before{content:attr(data-label);flex:0 0 7.2em;color:var(--muted);"
	"font-weight:400}\n"
	".stack td>span{flex:1 1 0;min-width:0}\n"
	".picture{min-width:760px}.hint{display:inline}\n"
	"dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}\n";

static const char print[] =
	"@media print{@page{margin:14mm}\n"
	"body{background:#fff;font-size:10.5pt}header>div,main,footer{max-width:none;padding:0}\n"
	".verdict{padding:14px 16px;print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
	".headline{font-size:30pt}.sentence{font-size:13pt}\n"
	"section{margin-top:16pt}section,figure,tr,.reasons li{break-inside:avoid}\n"
	"section:has(.events){break-inside:auto}h2{break-after:avoid}\n"
	".scroll{overflow:visible}.picture{min-width:0}.picture *{print-color-adjust:exact;"
	"-webkit-print-color-adjust:exact}\n"
	"th,td{padding:4px 6px}.wide td,.wide th{padding:3px 4px;font-size:7.5pt}\n"
	".events td,.events th{font-size:8.5pt;padding:2px 6px}}\n";

static void add_picture_colour(struct text *page, const char *old, const char *fresh)
{
	text_addf(page, ".picture [stroke=\"%s\"]{stroke:%s}.picture [fill=\"%s\"]{fill:%s}\n", old,
		  fresh, old, fresh);
}

void html_style(struct text *page)
{
	text_add(page, light);
	text_add(page, base);
	/* Paper is white: the dark is for screens. */
	text_add(page, "@media screen and (prefers-color-scheme: dark){");
	text_add(page, dark);
	for (size_t i = 0; i < sizeof dark_colours / sizeof dark_colours[0]; i++)
		add_picture_colour(page, dark_colours[i].light, dark_colours[i].dark);
	for (size_t i = 0; i < PICTURE_PROBES_MAX; i++)
		add_picture_colour(page, picture_colour(i), dark_probes[i]);
	text_add(page, "}\n");
	text_add(page, phone);
	text_add(page, print);
}

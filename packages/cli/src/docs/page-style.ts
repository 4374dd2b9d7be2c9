/**
 * The styles of the page. Colours are declared once for light and once for dark, and drawings use
 * the same variables.
 */
const light = `
  color-scheme: light;
  --ground: #ffffff; --sunken: #f7f8fa; --raised: #ffffff; --line: #e4e7ec; --faint: #eef0f4;
  --text: #1b2130; --soft: #5a6478; --pale: #667085;
  --accent: #3056d3; --accent-ground: #eef2ff;
  --client: #3056d3; --server: #0f7b55; --danger: #c4314b; --amber: #96620a;
  --client-ground: #eef2ff; --server-ground: #e9f7f0; --danger-ground: #fdeef0; --amber-ground: #fdf4e2;
  --key: #3056d3; --string: #0f7b55; --number: #a24b0b; --word: #8132a8;
`;
const dark = `
  color-scheme: dark;
  --ground: #0f131a; --sunken: #141a23; --raised: #171e29; --line: #263041; --faint: #1c2431;
  --text: #e3e8f1; --soft: #a3aec2; --pale: #8793ab;
  --accent: #8aa8ff; --accent-ground: #1b2645;
  --client: #8aa8ff; --server: #5fd0a2; --danger: #ff8799; --amber: #f2bf6a;
  --client-ground: #1a2440; --server-ground: #12312a; --danger-ground: #3a1a24; --amber-ground: #33280f;
  --key: #8aa8ff; --string: #5fd0a2; --number: #f2a666; --word: #d39bf0;
`;

const layout = `
:root {${light}
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) {${dark}} }
:root[data-theme="dark"] {${dark}}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--ground); color: var(--text); font: 400 15.5px/1.65 var(--sans); display: grid;
  grid-template-columns: 18.5rem minmax(0, 1fr); -webkit-font-smoothing: antialiased; text-rendering: optimizeLegibility; }
[hidden] { display: none !important; }
.skip { position: absolute; left: -999px; } .skip:focus { left: 1rem; top: 1rem; z-index: 2; background: var(--ground); }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; text-underline-offset: 3px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, pre { font-family: var(--mono); font-variant-ligatures: none; }
code { font-size: .86em; }

nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.4rem 1rem 3rem 1.4rem; background: var(--sunken);
  border-right: 1px solid var(--line); font-size: .87rem; scrollbar-width: thin; }
nav header { display: flex; justify-content: space-between; align-items: center; gap: .5rem; margin-bottom: .9rem; font-size: 1rem; }
#theme { width: 1.9rem; height: 1.9rem; flex: none; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); cursor: pointer; padding: 0; }
#theme::before { content: ""; display: block; width: .85rem; height: .85rem; margin: auto; border-radius: 50%;
  border: 1.5px solid var(--soft); background: linear-gradient(90deg, var(--soft) 50%, transparent 50%); }
#search { width: 100%; padding: .5rem .7rem; margin-bottom: 1rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--raised); color: inherit; font: inherit; }
#none { color: var(--pale); }
#contents > summary { display: none; cursor: pointer; font-weight: 600; }
nav ul { list-style: none; margin: 0; padding: 0; }
#contents > ul > li { margin-bottom: .75rem; }
#contents > ul > li > a { font-weight: 600; color: var(--text); }
nav li ul { border-left: 1px solid var(--line); margin: .15rem 0 .2rem .5rem; padding-left: .45rem; }
nav li a { display: block; padding: .16rem .55rem; border-radius: 6px; color: var(--soft); overflow-wrap: anywhere; }
nav li a:hover { background: var(--faint); text-decoration: none; }
nav li a.here { background: var(--accent-ground); color: var(--accent); }
nav code { font-size: .88em; }

main { padding: 3.2rem clamp(1.2rem, 4.5vw, 4.5rem) 6rem; max-width: 68rem; }
h1, h2, h3, h4, h5 { line-height: 1.25; letter-spacing: -.011em; margin: 0; }
h1 { font-size: 2.4rem; letter-spacing: -.03em; }
.subtitle { color: var(--soft); font-size: 1.02rem; margin: .35rem 0 1.4rem; }
main > header p:not(.subtitle) { max-width: 44rem; font-size: 1.06rem; }
section { scroll-margin-top: 1.2rem; }
section > :is(h2, h3, h4, h5) > a { color: inherit; }
.level-2 { margin-top: 4rem; } .level-2 > h2 { font-size: 1.6rem; padding-bottom: .6rem; border-bottom: 1px solid var(--line); }
.level-3 { margin-top: 2.8rem; } .level-3 > h3 { font-size: 1.2rem; }
.level-4 { margin-top: 2rem; padding-left: 1.15rem; border-left: 2px solid var(--faint); } .level-4 > h4 { font-size: 1.03rem; }
.passed > .own { display: none; }
h2 code, h3 code, h4 code { font-size: .95em; font-weight: 600; }
p { margin: .8rem 0; max-width: 46rem; }
main :is(p, td) code { background: var(--faint); padding: .1em .35em; border-radius: 5px; }
.badge { display: inline-block; margin-left: .6rem; padding: .16em .62em; border-radius: 99px; font: 500 .72rem/1.5 var(--sans);
  letter-spacing: .01em; vertical-align: .16em; background: var(--faint); color: var(--soft); white-space: nowrap; }
.badge[data-badge^="client"], .badge[data-badge="query"] { background: var(--client-ground); color: var(--client); }
.badge[data-badge^="server"], .badge[data-badge="history"] { background: var(--server-ground); color: var(--server); }
.badge[data-badge="mutation"] { background: var(--amber-ground); color: var(--amber); }
.caption { font-size: .82rem; font-weight: 600; color: var(--soft); margin: 1.5rem 0 .5rem; letter-spacing: 0; }

.table { overflow-x: auto; margin: .7rem 0 1.2rem; border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: .89rem; line-height: 1.5; }
th { text-align: left; font-size: .76rem; font-weight: 600; color: var(--soft); background: var(--sunken); padding: .55rem .9rem; white-space: nowrap; }
td { padding: .55rem .9rem; vertical-align: top; border-top: 1px solid var(--line); }
tbody tr:hover { background: var(--sunken); }
td code { white-space: normal; overflow-wrap: anywhere; }
td code.name { white-space: nowrap; }
.fields td:nth-child(1) { width: 30%; } .fields td:nth-child(2) { width: 24%; }
main td code.path, main td code.type { background: none; padding: 0; } .path { font-weight: 600; } .path i { font-style: normal; font-weight: 400; color: var(--pale); }
.type { color: var(--word); }
.optional { margin-left: .45rem; font-size: .74rem; color: var(--pale); white-space: nowrap; }
.rules { display: block; color: var(--soft); font-size: .8rem; } .rules:first-child { margin: 0; }

figure { margin: 1rem 0 1.3rem; }
.frame, .source, .fold { border: 1px solid var(--line); border-radius: 10px; overflow: hidden; background: var(--sunken); }
figcaption { display: flex; justify-content: space-between; gap: 1rem; padding: .45rem .9rem; font-size: .78rem; font-weight: 600; color: var(--soft);
  border-bottom: 1px solid var(--line); }
figcaption span { font-weight: 500; } .client figcaption span { color: var(--client); } .server figcaption span { color: var(--server); }
pre { margin: 0; padding: .8rem .95rem; overflow-x: auto; font-size: .82rem; line-height: 1.6; tab-size: 2; }
pre code { font-size: 1em; }
.fold { margin: 1rem 0 1.3rem; background: none; }
.fold > summary { padding: .45rem .9rem; font-size: .82rem; font-weight: 600; color: var(--soft); cursor: pointer; }
.fold[open] > summary { border-bottom: 1px solid var(--line); } .fold > figure { margin: .9rem; }
.comment { color: var(--pale); }
.key { color: var(--key); } .string { color: var(--string); } .number { color: var(--number); } .word { color: var(--word); }

.drawing { overflow-x: auto; border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem .6rem; background: var(--raised); }
.sequence { display: block; margin: auto; max-width: 100%; min-width: 34rem; height: auto; }
.sequence text { text-anchor: middle; font: 12px var(--mono); fill: var(--text); }
.sequence .type { font-weight: 700; }
.sequence path { fill: none; stroke: currentColor; stroke-width: 1.5; } .sequence .head { fill: currentColor; stroke: none; }
.sequence .life { stroke: var(--line); stroke-width: 1.5; }
.sequence .actor rect { fill: var(--sunken); stroke: var(--line); } .sequence .actor text { font: 600 13px var(--sans); }
.sequence .from-client { color: var(--client); } .sequence .from-client text { fill: var(--client); }
.sequence .from-server { color: var(--server); } .sequence .from-server text { fill: var(--server); }
.sequence .call, .sequence .answer { color: var(--pale); } .sequence .call text, .sequence .answer text { fill: var(--soft); }
.sequence .answer path:not(.head) { stroke-dasharray: 4 3; }
.sequence .close { color: var(--danger); } .sequence .close text { fill: var(--danger); }
.sequence .note rect { fill: var(--amber-ground); stroke: none; } .sequence .note text { font: 12px var(--sans); fill: var(--amber); }
.sequence .either > rect:first-child { fill: none; stroke: var(--line); } .sequence .tab { fill: var(--faint); stroke: none; }
.sequence .branch { text-anchor: start; font: 600 11.5px var(--sans); fill: var(--soft); } .sequence .divider { stroke: var(--line); stroke-dasharray: 5 4; }

@media (max-width: 56rem) {
  body { display: block; } nav { position: static; height: auto; padding: 1rem 1.2rem; border-right: 0; border-bottom: 1px solid var(--line); }
  nav header { margin-bottom: .6rem; } #search { font-size: 1rem; margin-bottom: .6rem; } #contents > summary { display: list-item; padding: .3rem 0; } #contents > ul { margin-top: .6rem; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .7rem .8rem; } .fold > figure { margin: .6rem; }
  main { padding-top: 1.6rem; } h1 { font-size: 1.9rem; } .level-4 { padding-left: .7rem; }
}
@media print { nav { display: none; }  body { display: block; } section { break-inside: avoid-page; } }
`;

/** Collapses white space, which is only there for readers of this file. */
export const pageStyle = layout.replace(/\s+/g, " ").trim();

import { colourJson, colourSource } from "./colour.js";
import { drawing } from "./drawing.js";
import { escapeHtml } from "./escape-html.js";
import type { Field } from "./fields.js";
import { pretty } from "./pretty.js";
import { pageScript } from "./page-script.js";
import { pageStyle } from "./page-style.js";
import type { Block, Reference, Section } from "./reference.js";

/**
 * Writes a reference as one self-contained HTML file. Styles, script and drawings are inline, and
 * the content security policy forbids loading anything.
 */
export function html(reference: Reference): string {
  const { title, subtitle, introduction, sections } = reference;
  return `<!doctype html>
<!-- Generated from the schemas. Change those, not this file. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${pageStyle}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<nav aria-label="Contents">
<header><strong>${escapeHtml(title)}</strong><button type="button" id="theme" aria-label="Light or dark"></button></header>
<input id="search" type="search" placeholder="Search" aria-label="Search the reference" autocomplete="off">
<p id="none" hidden>Nothing matches.</p>
<details id="contents" open>
<summary>Contents</summary>
<ul>${sections.map(entry).join("")}</ul>
</details>
</nav>
<main id="content">
<header class="title"><h1>${escapeHtml(title)}</h1><p class="subtitle">${escapeHtml(subtitle)}</p>${introduction.map(blockHtml).join("")}</header>
${sections.map((section) => sectionHtml(section, 2)).join("\n")}
</main>
<script>${pageScript}</script>
</body>
</html>
`;
}

function entry({ id, title, isName, sections = [] }: Section): string {
  const name = isName ? `<code>${escapeHtml(title)}</code>` : escapeHtml(title);
  const inner = sections.length > 0 ? `<ul>${sections.map(entry).join("")}</ul>` : "";
  return `<li><a href="#${escapeHtml(id)}">${name}</a>${inner}</li>`;
}

function sectionHtml({ id, title, isName, badges = [], blocks, sections = [] }: Section, level: number): string {
  const tag = `h${Math.min(level, 6)}`;
  const name = isName ? `<code>${breakable(title)}</code>` : escapeHtml(title);
  const marks = badges.map((badge) => `<span class="badge" data-badge="${badge}">${badge}</span>`).join("");
  return (
    `<section id="${escapeHtml(id)}" class="level-${level}"><${tag}><a href="#${escapeHtml(id)}">${name}</a>${marks}</${tag}>` +
    `<div class="own">${blocks.map(blockHtml).join("")}</div>` +
    `${sections.map((inner) => sectionHtml(inner, level + 1)).join("\n")}</section>`
  );
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "text":
      return `<p>${inline(block.text)}</p>`;
    case "table":
      return tableHtml(
        block.head,
        block.rows.map((row) => row.map(inline)),
      );
    case "fields":
      return `<p class="caption">${inline(block.caption)}</p>${block.fields.length > 0 ? fieldTable(block.fields) : ""}`;
    case "frame":
      return (
        `<figure class="frame ${block.sentBy}"><figcaption>${escapeHtml(block.caption)}` +
        `<span>${block.sentBy === "client" ? "client → server" : "server → client"}</span></figcaption>` +
        `<pre><code>${colourJson(pretty(block.message))}</code></pre></figure>`
      );
    case "source":
      return `<figure class="source"><figcaption>${escapeHtml(block.caption)}</figcaption><pre><code>${colourSource(block.source)}</code></pre></figure>`;
    case "fold":
      return `<details class="fold"><summary>${escapeHtml(block.caption)}</summary>${block.blocks.map(blockHtml).join("")}</details>`;
    case "sequence":
      return `<figure class="drawing">${drawing(block.sequence)}</figure>`;
    default:
      return block satisfies never;
  }
}

function fieldTable(fields: readonly Field[]): string {
  return tableHtml(
    ["Field", "Type", "Description"],
    fields.map((field) => {
      const rules = [
        field.constraints && inline(field.constraints),
        field.defaultValue !== undefined && `default <code>${escapeHtml(field.defaultValue)}</code>`,
      ].filter(Boolean);
      return [
        `${pathHtml(field.path)}${field.required ? "" : '<span class="optional">optional</span>'}`,
        `<code class="type">${escapeHtml(field.type)}</code>`,
        `${inline(field.description)}${rules.length > 0 ? `<span class="rules">${rules.join(" · ")}</span>` : ""}`,
      ];
    }),
    "fields",
  );
}

/** Dims the path to a field, so that the name of the field stands out. */
function pathHtml(path: string): string {
  const at = path.lastIndexOf(".") + 1;
  return `<code class="path"><i>${breakable(path.slice(0, at))}</i>${breakable(path.slice(at))}</code>`;
}

function tableHtml(head: readonly string[], rows: readonly (readonly string[])[], style = ""): string {
  const cells = (tag: string, values: readonly string[]) => values.map((value) => `<${tag}>${value}</${tag}>`).join("");
  return (
    `<div class="table"><table class="${style}"><thead><tr>${cells("th", head)}</tr></thead>` +
    `<tbody>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("")}</tbody></table></div>`
  );
}

/** `code`, **strong** and [links](#…) of a sentence. */
function inline(sentence: string): string {
  return sentence
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith("`") && part.length > 1
        ? `<code${/^[\w.:-]{1,32}$/.test(part.slice(1, -1)) ? ' class="name"' : ""}>${escapeHtml(part.slice(1, -1))}</code>`
        : escapeHtml(part).replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>"),
    )
    .join("")
    .replace(/\[([^\]]+)\]\(#([^)]+)\)/g, '<a href="#$2">$1</a>');
}

/** Long names may break at their dots and dashes. */
function breakable(name: string): string {
  return escapeHtml(name).replace(/([.\-_])/g, "$1<wbr>");
}

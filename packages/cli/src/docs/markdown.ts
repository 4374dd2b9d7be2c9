import type { Field } from "./fields.js";
import { mermaid } from "./mermaid.js";
import { pretty } from "./pretty.js";
import type { Block, Reference, Section } from "./reference.js";

/** A reference as Markdown: GitHub's dialect, with mermaid diagrams. */
export function markdown(reference: Reference): string {
  const lines: string[] = [
    "<!-- Generated from the schemas. Change those, not this file. -->",
    "",
    `# ${escapeText(reference.title)}`,
    "",
    `${reference.subtitle}.`,
    "",
  ];
  for (const block of reference.introduction) lines.push(...blockLines(block));
  lines.push(...contents(reference.sections, ""), "");
  for (const section of reference.sections) lines.push(...sectionLines(section, 2));
  return `${lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}

function contents(sections: readonly Section[], indent: string): string[] {
  return sections.flatMap(({ id, title, isName, sections: inner }) => [
    `${indent}- [${isName ? `\`${title}\`` : escapeText(title)}](#${id})`,
    ...(indent ? [] : contents(inner ?? [], "  ")),
  ]);
}

function sectionLines(section: Section, level: number): string[] {
  const title = section.isName ? `\`${section.title}\`` : escapeText(section.title);
  const badges = (section.badges ?? []).map((badge) => `*${badge}*`).join(" · ");
  return [
    `<a id="${section.id}"></a>`,
    "",
    `${"#".repeat(Math.min(level, 6))} ${title}`,
    "",
    ...(badges ? [badges, ""] : []),
    ...section.blocks.flatMap(blockLines),
    ...(section.sections ?? []).flatMap((inner) => sectionLines(inner, level + 1)),
  ];
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case "text":
      return [block.text, ""];
    case "table":
      return tableLines(block.head, block.rows);
    case "fields":
      return [`**${block.caption}**`, "", ...(block.fields.length > 0 ? fieldLines(block.fields) : [])];
    case "frame":
      return [`${block.caption}, sent by the ${block.sentBy}:`, "", "```json", pretty(block.message), "```", ""];
    case "source":
      return [`${block.caption}:`, "", "```ts", block.source, "```", ""];
    case "fold":
      return [
        "<details>",
        `<summary>${escapeText(block.caption)}</summary>`,
        "",
        ...block.blocks.flatMap(blockLines),
        "</details>",
        "",
      ];
    case "sequence":
      return ["```mermaid", mermaid(block.sequence), "```", ""];
    default:
      return block satisfies never;
  }
}

function fieldLines(fields: readonly Field[]): string[] {
  const hasDefaults = fields.some(({ defaultValue }) => defaultValue !== undefined);
  return tableLines(
    ["Field", "Type", "Required", "Constraints", ...(hasDefaults ? ["Default"] : []), "Description"],
    fields.map((field) => [
      `\`${field.path}\``,
      `\`${field.type}\``,
      field.required ? "yes" : "no",
      field.constraints,
      ...(hasDefaults ? [field.defaultValue === undefined ? "" : `\`${field.defaultValue}\``] : []),
      field.description,
    ]),
  );
}

function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${head.map(() => " --- ").join("|")}|`, ...rows.map(line), ""];
}

/** In a Markdown table, a bar ends the cell even inside code, and a line break ends the row. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/\s*\n\s*/g, " ");
}

function escapeText(text: string): string {
  return text.replace(/[<>*_]/g, "\\$&");
}

/**
 * Proves that a change touches only words: comments, and strings that people read (titles, errors,
 * log messages). Both versions of each file are reduced to their tokens and compared. The tokens
 * have no comments, and each such string is replaced by a mask.
 *
 *   node scripts/words-only.mjs [from] [to]     compares two commits, by default HEAD~1 and HEAD; `.` is the working tree
 *   node scripts/words-only.mjs --quiet …       without the list of changed texts
 *
 * The mask of a text keeps its rule ids and, in any order, the values that a template inserts. The
 * changed texts are listed for reading, because a script cannot tell whether a program depends on a
 * string. If anything else differs, the exit code is 1.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { root } from "./run.mjs";

/**
 * Files that are not compared: generators write them from compared sources, or only people read
 * them.
 */
const notCompared = /^(docs\/(reference|surface)\/|\.changeset\/)/;
const ruleId = /\b[A-Z]{2}\d{1,3}\b/g;

/**
 * @typedef {string | { mask: string, text: string }} Token an exact token, or a text and the mask
 *   that is compared
 */

/**
 * @param {string} path the path of the file, whose ending decides how the source is read
 * @param {string} source
 * @returns {Token[]}
 */
export function tokensOf(path, source) {
  if (/\.[cm]?[jt]sx?$/.test(path)) return tokensOfProgram(path, source);
  if (path.endsWith(".md")) return [...source.matchAll(/^ *```[^]*?^ *```/gm)].map(([fence]) => withoutComments(fence));
  if (path.endsWith(".html")) return tokensOfHtml(source);
  return [/\.jsonl?$/.test(path) ? source : withoutComments(source)];
}

/**
 * @param {Token[]} before
 * @param {Token[]} after
 * @returns {{ difference?: string, texts: [string, string][] }} the first token that differs, and
 *   the texts that changed
 */
export function compare(before, after) {
  const texts = [];
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    const [old, now] = [before[index], after[index]];
    if (comparable(old) !== comparable(now)) {
      const around = (tokens) =>
        tokens
          .slice(Math.max(index - 4, 0), index + 3)
          .map(comparable)
          .join(" ");
      return { difference: `- ${around(before)}\n    + ${around(after)}`, texts };
    }
    if (typeof old === "object" && old.text !== now.text) texts.push([old.text, now.text]);
  }
  return { texts };
}

const comparable = (token) => (typeof token === "object" ? token.mask : String(token));

function tokensOfProgram(path, source) {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const tokens = [];
  const visit = (node, inText) => {
    if (ts.isJSDoc(node)) return;
    if (isText(node)) {
      const { text, values } = partsOf(node);
      if (inText || isProse(text)) {
        const inserted = values.map((value) => tokensOfValue(value, visit, tokens)).sort();
        tokens.push({ mask: `‹${[...(text.match(ruleId) ?? []), ...inserted].join(" ")}›`, text });
        return;
      }
      if (isCode(text))
        return void tokens.push(...(text.includes("</") ? tokensOfHtml(text) : [withoutComments(text)]));
    }
    const children = node.getChildren(file);
    if (children.length === 0) return void tokens.push(node.getText(file));
    const isList = node.kind === ts.SyntaxKind.SyntaxList;
    for (const [index, child] of children.entries()) {
      // Prettier adds a comma when a longer text breaks a list over several lines.
      if (isList && index === children.length - 1 && child.kind === ts.SyntaxKind.CommaToken) continue;
      visit(child, inText);
    }
  };
  visit(file, false);
  return tokens;
}

/**
 * Returns the tokens of an inserted value. `visit` appends to `tokens`, so this function removes
 * the new tokens from `tokens` again.
 */
function tokensOfValue(value, visit, tokens) {
  const start = tokens.length;
  visit(value, true);
  return tokens.splice(start).map(comparable).join(" ");
}

const isPlus = (node) => ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;

/** True for a literal, a template, or a sum that contains either. */
function isText(node) {
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return true;
  return isPlus(node) && (isText(node.left) || isText(node.right));
}

/** Returns the text with `X` for each inserted value, and the values. */
function partsOf(node) {
  if (ts.isStringLiteralLike(node)) return { text: node.text, values: [] };
  if (ts.isTemplateExpression(node)) {
    const text = node.head.text + node.templateSpans.map(({ literal }) => `X${literal.text}`).join("");
    return { text, values: node.templateSpans.map(({ expression }) => expression) };
  }
  if (!isPlus(node)) return { text: "X", values: [node] };
  const [left, right] = [partsOf(node.left), partsOf(node.right)];
  return { text: left.text + right.text, values: [...left.values, ...right.values] };
}

const isCode = (text) => /[;{}>]\s*\n|\bredis\.call\(|^local \w+/m.test(text);
/**
 * True for a string with at least two words, and for a single word that is written as a sentence or
 * a label.
 */
const isProse = (text) => !isCode(text) && (/\w[^\s\w]* +[^\s]*\w/.test(text) || /^[A-Z][a-z]+[.!?…]?$/.test(text));

function withoutComments(source) {
  return source
    .replace(/\/\*[^]*?\*\/|(?<!:)\/\/.*$|^\s*#(?!include|define|if|endif|!).*$|(?<=\s)# .*$|--(?!>| \w+=).*$/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * Tags keep their attributes. The text between tags and the text of visible attributes are masked.
 */
function tokensOfHtml(source) {
  const tokens = [];
  const visible = /\b(alt|title|placeholder|aria-label|content)="[^"]*"/g;
  for (const [tag, , text] of source.replace(/<!--[^]*?-->/g, "").matchAll(/<("[^"]*"|[^>])*>|([^<]+)/g)) {
    if (text !== undefined) {
      if (text.trim() !== "") tokens.push({ mask: "‹›", text: text.trim() });
    } else {
      const texts = tag.match(visible) ?? [];
      tokens.push({ mask: tag.replace(visible, '$1="‹›"').replace(/\s+/g, " "), text: texts.join(" ") });
    }
  }
  return tokens;
}

const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });

function sourceAt(commit, path) {
  return commit === "." ? readFileSync(join(root, path), "utf8") : git("show", `${commit}:${path}`);
}

function main(args) {
  const quiet = args.includes("--quiet");
  const [from = "HEAD~1", to = "HEAD"] = args.filter((arg) => !arg.startsWith("--"));
  const changed = git("diff", "--name-status", "--no-renames", "-z", ...(to === "." ? [from] : [from, to])).split("\0");
  let differences = 0;
  let count = 0;
  for (let index = 0; index + 1 < changed.length; index += 2) {
    const [status, path] = [changed[index], changed[index + 1]];
    if (notCompared.test(path)) continue;
    const both = status === "M";
    if (!both && path.endsWith(".md")) continue;
    const { difference, texts } = both
      ? compare(tokensOf(path, sourceAt(from, path)), tokensOf(path, sourceAt(to, path)))
      : { difference: status === "A" ? "is new" : "is gone", texts: [] };
    count += texts.length;
    if (difference !== undefined) {
      differences++;
      console.log(`DIFFERS ${path}\n    ${difference}`);
    }
    if (!quiet) for (const [old, now] of texts) console.log(`${path}\n  - ${old}\n  + ${now}`);
  }
  console.log(`${count} texts changed, ${differences} files differ in more than words`);
  return differences > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = main(process.argv.slice(2));

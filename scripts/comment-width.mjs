/**
 * Checks that comments end at column 100, where prose is still easy to read. Prettier keeps code
 * within 120 columns and never wraps a comment. `npm run lint` runs the check.
 *
 *   node scripts/comment-width.mjs                    lists each longer line, and exits with 1 if any line is longer
 *   node scripts/comment-width.mjs --write [path …]   wraps the paragraphs that are too wide, in all files or in the named paths
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { filesBelow } from "./files.mjs";
import { root } from "./run.mjs";

export const WIDTH = 100;
const folders = ["packages", "examples", "scripts", "bench", "docs"];
const rootFiles = () => readdirSync(root).filter((name) => /\.(ts|mjs)$/.test(name));
const isSource = (path) =>
  /\.([cm]?[jt]s|css)$/.test(path) && !path.includes("/.") && !path.startsWith("docs/reference/");

/** A line of a comment: its indentation with the marker, and its text. */
const commentLine = /^(\s*(?:\/\/|\*(?!\/)|\/\*\*?)) ?(.*)$/;
const trailingComment = /^\s*[^\s/*].*[;,{}()[\]>|\w"] +\/\/ .*$/;
const isDirective = /\/\/ (prettier-ignore|oxlint-|@ts-)/;
/** Lines whose breaks have a meaning: directives, drawings, tables, code. */
const isFixed = (text) => /^\s*(oxlint-|prettier-ignore|@ts-|#|\||```)|[─│┌└├▶◀▼▲]|\S {2,}\S/.test(text);
const startsParagraph = (text) => /^\s*([-*•]|\d+\.|@\w+) /.test(text);

/**
 * @param {string} source
 * @returns {number[]} the numbers of the lines whose comment is too wide, from 1. A single word,
 *   for example a url, may be wider.
 */
export function wideLines(source) {
  return source.split("\n").flatMap((line, index) => (line.length > WIDTH && isWideComment(line) ? [index + 1] : []));
}

function isWideComment(line) {
  const [, marker, text] = commentLine.exec(line) ?? [];
  if (marker === undefined) return trailingComment.test(line) && !isDirective.test(line);
  return (
    !isFixed(text) &&
    text
      .replace(/\s*\*\/$/, "")
      .trim()
      .includes(" ")
  );
}

/**
 * @param {string} source
 * @returns {string} the source, in which each paragraph with a line that is too wide is wrapped
 */
export function wrapComments(source) {
  const lines = source.split("\n").flatMap(openBlock);
  const wide = new Set(wideLines(lines.join("\n")));
  const result = [];
  for (let index = 0; index < lines.length;) {
    const end = endOfParagraph(lines, index);
    const isWide = Array.from({ length: end - index }, (_, at) => index + at + 1).some((number) => wide.has(number));
    result.push(...(isWide ? wrap(lines.slice(index, end)) : lines.slice(index, end)));
    index = end;
  }
  return result.join("\n");
}

/** Gives the text of a one-line block that is too wide a line of its own. */
function openBlock(line) {
  const [, indent, marker, text] = /^(\s*)(\/\*\*?) (.*?) ?\*\/$/.exec(line) ?? [];
  if (marker === undefined || line.length <= WIDTH) return [line];
  return [`${indent}${marker}`, `${indent} * ${text}`, `${indent} */`];
}

function endOfParagraph(lines, start) {
  const first = commentLine.exec(lines[start]);
  if (!first || !isWrapped(first)) return start + 1;
  for (let end = start + 1; ; end++) {
    const next = end < lines.length ? commentLine.exec(lines[end]) : undefined;
    if (!next || !isWrapped(next) || next[1] !== first[1] || startsParagraph(next[2])) return end;
  }
}

const isWrapped = ([line, marker, text]) =>
  !/\/\*\*?$/.test(marker) && text.trim() !== "" && !isFixed(text) && !line.endsWith("*/");

function wrap(lines) {
  const [, marker, first] = commentLine.exec(lines[0]) ?? [];
  // A comment behind code stays: only the author knows which statement the comment explains, and
  // moves the comment above that statement by hand.
  if (marker === undefined) return lines;
  const [indent] = /^\s*/.exec(first);
  const [hanging] = /^\s*(?:[-*•] |\d+\. |@\w+ )?/.exec(first);
  const rest = lines.length > 1 ? /^\s*/.exec(commentLine.exec(lines[1])[2])[0] : hangingIndent(hanging);
  const words = lines.flatMap((line) => commentLine.exec(line)[2].trim().split(/\s+/));
  const wrapped = [];
  let current = `${marker} ${indent}${words[0]}`;
  for (const word of words.slice(1)) {
    if (current.length + 1 + word.length > WIDTH) {
      wrapped.push(current);
      current = `${marker} ${rest}${word}`;
    } else current += ` ${word}`;
  }
  return [...wrapped, current];
}

const hangingIndent = (start) => (start.trim().startsWith("@") ? "  " : " ".repeat(start.length));

const allSources = () => [...rootFiles(), ...folders.flatMap(sourcesAt)];
const sourcesAt = (path) => (statSync(join(root, path)).isDirectory() ? filesBelow(path).filter(isSource) : [path]);

function main(args) {
  const write = args.includes("--write");
  const named = args.filter((arg) => !arg.startsWith("--"));
  let count = 0;
  for (const path of named.length > 0 ? named.flatMap(sourcesAt) : allSources()) {
    const source = readFileSync(join(root, path), "utf8");
    const result = write ? wrapComments(source) : source;
    if (result !== source) writeFileSync(join(root, path), result);
    for (const line of wideLines(result)) {
      count++;
      console.error(`${path}:${line}: wrap this comment at column ${WIDTH} (node scripts/comment-width.mjs --write)`);
    }
  }
  return count > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = main(process.argv.slice(2));

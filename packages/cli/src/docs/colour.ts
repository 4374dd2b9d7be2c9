import { escapeHtml } from "./escape-html.js";

const JSON_TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Colours JSON: names, texts, numbers, words. */
export function colourJson(json: string): string {
  let done = 0;
  let out = "";
  for (const match of json.matchAll(JSON_TOKEN)) {
    const [all, string, colon, word, digits] = match;
    out += escapeHtml(json.slice(done, match.index));
    const style = string ? (colon ? "key" : "string") : word ? "word" : "number";
    out += `<span class="${style}">${escapeHtml(string ?? word ?? digits ?? "")}</span>${colon ?? ""}`;
    done = match.index + all.length;
  }
  return out + escapeHtml(json.slice(done));
}

const SOURCE_TOKEN =
  /(\/\/.*)|("(?:[^"\\]|\\.)*"|`[^`]*`)|\b(import|from|const|type|await|async|return|throw|try|catch|if|new|true|false|null|undefined)\b|\b(\d[\d.]*n?)\b/g;

/** Marks comments, strings, keywords and numbers of TypeScript. */
export function colourSource(source: string): string {
  let done = 0;
  let out = "";
  for (const match of source.matchAll(SOURCE_TOKEN)) {
    const [all, comment, string, word] = match;
    out += escapeHtml(source.slice(done, match.index));
    const style = comment ? "comment" : string ? "string" : word ? "word" : "number";
    out += `<span class="${style}">${escapeHtml(all)}</span>`;
    done = match.index + all.length;
  }
  return out + escapeHtml(source.slice(done));
}

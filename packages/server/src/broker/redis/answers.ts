import type { Position } from "@holdfast/protocol";
import { links } from "@holdfast/protocol/internal";
import type { Appended, Publication, Reading } from "../broker.js";
import { readEntry } from "./announcement.js";
import { refusal, unavailable } from "./unavailable.js";

/**
 * Parses the replies of the Lua scripts. A reply of an unexpected shape means that another program
 * uses the same keys.
 */

const outcomes: ReadonlySet<unknown> = new Set<Appended["outcome"]>(["appended", "duplicate", "conflict", "unchanged"]);

export function readAppended(answer: unknown): Appended {
  if (answer instanceof Error) throw refusal(answer);
  const [outcome, epoch, offset, id, previous] = list(answer);
  if (!outcomes.has(outcome)) throw strange();
  return {
    outcome: outcome as Appended["outcome"],
    position: readPosition(epoch, offset, id),
    ...(typeof previous === "string" && { previous }),
  };
}

export function readReading(answer: unknown): Reading {
  const [epoch, offset, id, log, table, document] = list(answer);
  const position = readPosition(epoch, offset, id);
  const entries = new Map<string, string>();
  const fields = list(table);
  for (let index = 0; index + 1 < fields.length; index += 2) entries.set(text(fields[index]), text(fields[index + 1]));
  const [broughtBy, kept] = list(document);
  return {
    position,
    events: readLog(list(log), position),
    entries,
    ...(typeof broughtBy === "string" &&
      (kept === 1 ? { isKnown: true } : { document: { id: broughtBy, text: text(kept) } })),
  };
}

/** Parses the position of a topic. Undefined if the store does not know the topic. */
export function readKnown(answer: unknown): Position | undefined {
  const [epoch, offset, id] = list(answer);
  return epoch === undefined ? undefined : readPosition(epoch, offset, id);
}

function readPosition(epoch: unknown, offset: unknown, id: unknown): Position {
  const number = Number(offset);
  if (!Number.isSafeInteger(number) || number < 0) throw strange();
  return { epoch: text(epoch), offset: number, id: text(id) };
}

/**
 * Parses the log, which the script returns latest first. Events before a gap in the chain are
 * dropped: a reset is better than wrong events.
 */
function readLog(answer: readonly unknown[], position: Position): readonly Publication[] {
  const events: Publication[] = [];
  for (const entry of answer) {
    const event = readLogged(list(entry));
    const next = events.at(-1)?.link;
    const follows = next
      ? links({ ...position, offset: event.link.offset, id: event.link.id }, next)
      : isAt(event, position);
    if (!follows) break;
    events.push(event);
  }
  return events.reverse();
}

function isAt({ link }: { link: { offset: number; id: string } }, position: Position): boolean {
  return link.offset === position.offset && link.id === position.id;
}

function readLogged([key, fields]: readonly unknown[]): Publication & { link: NonNullable<Publication["link"]> } {
  const values = new Map<unknown, string>();
  const flat = list(fields);
  for (let index = 0; index + 1 < flat.length; index += 2) values.set(flat[index], text(flat[index + 1]));
  const entry = values.get("e");
  return {
    body: values.get("b") ?? "",
    link: { offset: Number.parseInt(text(key), 10), id: values.get("i") ?? "", prev: values.get("p") ?? "" },
    ...(entry && { entry: readEntry(entry) }),
  };
}

export function list(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw strange();
  return answer;
}

export function text(answer: unknown): string {
  if (typeof answer !== "string") throw strange();
  return answer;
}

function strange(): Error {
  return unavailable(
    "Another program has written to the Redis keys of the broker.",
    "Choose another `prefix`, or delete the keys with this prefix.",
  );
}

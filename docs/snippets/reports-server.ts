import { randomUUID } from "node:crypto";
import { createServer } from "@holdfast/server";
import { reports } from "./reports-protocol.js";
import { findReports } from "./reports-database.js";

const titles = new Map<string, string>();

export const server = createServer(reports, {
  authenticate: ({ token }) => {
    if (token !== "reader" && token !== "editor") throw new Error("unknown token");
    return { userId: "ada", claims: { role: token } };
  },
});

// Runs around every handler. If the kind is not `query`, the request changes data.
server.use(async ({ kind, session, error }, next) => {
  if (kind !== "query" && session.identity.claims.role !== "editor")
    throw error("FORBIDDEN", "Only editors may change reports.");
  return next();
});

// If the caller no longer waits, the signal aborts and the database stops searching.
server.handle("report.search", ({ input, signal }) => findReports(titles, input.text, signal));

server.handle("report.create", ({ input, error }) => {
  for (const [id, title] of titles) if (title === input.title) throw error("TITLE_TAKEN", { id });
  const id = randomUUID();
  titles.set(id, input.title);
  return { id, title: input.title };
});

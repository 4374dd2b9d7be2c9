import type { Protocol } from "@holdfast/protocol";
import { Channels } from "../channel/channels.js";
import { LocalChannels } from "../channel/local-channels.js";
import type { Stats } from "../observe/stats.js";
import type { ServerSettings } from "../settings.js";
import { Database } from "../document/database.js";
import { Documents } from "../document/documents.js";
import type { DocumentHooks } from "../document/document-hooks.js";
import type { JoinedBroker } from "./join-broker.js";

/**
 * Creates the channels and their documents. A channel loads the document when a client joins. A
 * changed document is published, and `local` knows the receiving members.
 */
export function createChannels(
  protocol: Protocol,
  hooks: ReadonlyMap<string, DocumentHooks>,
  { link, topics, shared }: JoinedBroker,
  stats: Stats,
  settings: ServerSettings,
): { channels: Channels; documents: Documents; database: Database } {
  const { environment, logger, limits } = settings;
  const mostBytes = limits.documentBytes;
  const local = new LocalChannels();
  const database = new Database({ environment, hooks, timeoutMs: settings.requestTimeoutMs, mostBytes });
  const documents = new Documents({
    link,
    environment,
    stats,
    database,
    mostBytes,
    members: local,
  });
  const channels = new Channels({
    shared,
    protocol,
    local,
    link,
    topics,
    environment,
    logger,
    stats,
    maxEventBytes: limits.owedBytes,
    loadDocument: (id) => documents.load(id),
    presence: {
      environment,
      graceMs: settings.presenceGraceMs,
      mostListed: limits.presencePerChannel,
      mostBytes: limits.owedBytes / 4,
    },
  });
  return { channels, documents, database };
}

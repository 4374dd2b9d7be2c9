import { randomUUID } from "node:crypto";
import { isHoldfastError } from "@holdfast/server";
import { MOST_PARTICIPANTS, SESSION_DELETED, type SessionDraft } from "./protocol.js";
import type { Realtime } from "./realtime.js";
import { serverTime } from "./server-time.js";
import { addParticipant, newSession, pause, resume, switchCycle } from "./session-changes.js";

/**
 * Registers the handlers of all requests. No input contains a session id, because each connection
 * names its session in the parameter `sessionId`.
 */
export function handleRequests(server: Realtime, instance: string): void {
  const documentOf = (sessionId: string) => server.channel("session", sessionId).document;

  /**
   * Changes the session's document and resolves to the new version. If `change` throws an error
   * that the request declares, the document stays unchanged. If the session does not exist, the
   * error of `notFound` is thrown.
   */
  async function update(sessionId: string, notFound: () => Error, change: (draft: SessionDraft) => void) {
    try {
      const { document } = await documentOf(sessionId).update(change);
      return { version: document.version };
    } catch (error) {
      throw isHoldfastError(error) && error.code === "DOCUMENT_NOT_FOUND" ? notFound() : error;
    }
  }

  server.handle("session.about", () => ({ instance, at: serverTime() }));

  server.handle("session.get", async ({ session, error }) => {
    const { sessionId } = session.parameters;
    const found = await documentOf(sessionId).get();
    if (!found) throw error("SESSION_NOT_FOUND", { sessionId }, missing(sessionId));
    return found;
  });

  server.handle("session.create", async ({ input, session, error }) => {
    const { sessionId } = session.parameters;
    const created = newSession({ ...input, sessionId, newId: randomUUID, at: serverTime() });
    const written = await documentOf(sessionId).create(created);
    if (!written) throw error("SESSION_EXISTS", { sessionId }, `There is a session ${sessionId} already.`);
    return { version: written.document.version };
  });

  server.handle("session.resume", ({ session, error }) => {
    const { sessionId } = session.parameters;
    const notFound = () => error("SESSION_NOT_FOUND", { sessionId }, missing(sessionId));
    return update(sessionId, notFound, (draft) => resume(draft, serverTime()));
  });

  server.handle("session.pause", ({ session, error }) => {
    const { sessionId } = session.parameters;
    const notFound = () => error("SESSION_NOT_FOUND", { sessionId }, missing(sessionId));
    return update(sessionId, notFound, (draft) => {
      const refused = pause(draft, serverTime());
      if (refused) throw error(refused, { phase: draft.phase.name }, "The session has not been started.");
    });
  });

  server.handle("session.switchCycle", ({ input, session, error }) => {
    const { sessionId } = session.parameters;
    const notFound = () => error("SESSION_NOT_FOUND", { sessionId }, missing(sessionId));
    return update(sessionId, notFound, (draft) => {
      const refused = switchCycle(draft, input, serverTime());
      switch (refused) {
        case undefined:
          return;
        case "WRONG_PHASE":
          throw error(refused, { phase: draft.phase.name }, `The session is ${draft.phase.name}, not running.`);
        case "CYCLE_OVER":
          throw error(refused, { cycle: draft.cycle }, `Another user was faster: this is cycle ${draft.cycle}.`);
        case "UNKNOWN_PARTICIPANT":
          throw error(refused, { participantId: input.to ?? draft.turn }, "There is no such participant.");
        default:
          refused satisfies never;
      }
    });
  });

  server.handle("participant.add", async ({ input, session, error }) => {
    const { sessionId } = session.parameters;
    const notFound = () => error("SESSION_NOT_FOUND", { sessionId }, missing(sessionId));
    // The id is created outside of the change. The change may run again, and must then add the same
    // participant.
    const participantId = randomUUID();
    const changed = await update(sessionId, notFound, (draft) => {
      const refused = addParticipant(draft, { id: participantId, name: input.name }, serverTime());
      if (refused) throw error(refused, { maximum: MOST_PARTICIPANTS }, `There are ${MOST_PARTICIPANTS} already.`);
    });
    return { ...changed, participantId };
  });

  server.handle("session.delete", async ({ session, error }) => {
    const { sessionId } = session.parameters;
    const isDeleted = await documentOf(sessionId).delete({ reason: SESSION_DELETED });
    if (!isDeleted) throw error("SESSION_NOT_FOUND", { sessionId }, missing(sessionId));
    // The connections close after the answer, which would otherwise be lost with the caller's
    // connection. If Redis is unreachable, some watchers stay connected, but the channel has
    // already told them about the deletion.
    setImmediate(
      () =>
        void server
          .user(sessionId)
          .disconnect({ code: 1000, reason: SESSION_DELETED })
          .catch(() => {}),
    );
  });
}

const missing = (sessionId: string): string => `There is no session ${sessionId}.`;

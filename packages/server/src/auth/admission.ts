import { closeNumber, type Protocol, subprotocols } from "@holdfast/protocol";
import type { ServerSettings } from "../settings.js";
import { printable } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { JudgedSince } from "../session/recent-disconnects.js";
import type { Admission, ServerSocket, SocketOwner, UpgradeRequest, AdmissionVerdict } from "../transport/socket.js";
import type { Authenticator } from "./authenticator.js";
import { findCredential, type FoundCredential } from "./credential.js";
import type { Identity } from "../session/identity.js";
import { hostFault, originFault } from "./origin.js";

/** The reason of a close with OVERLOADED. Clients read the retry delay from this reason. */
export const OVERLOADED_REASON = '{"retryAfterMs":5000}';

/** An upgrade request that was accepted. */
export interface Admitted {
  readonly request: UpgradeRequest;
  readonly parameters: unknown;
  /** The credential in the upgrade request, if any. */
  readonly found: FoundCredential | undefined;
  /**
   * The result of authentication if authentication is already complete: the credential was checked,
   * or none is required. Undefined if the client must send `auth`.
   */
  readonly known: { readonly identity: Identity | undefined; readonly judgedSince: JudgedSince } | undefined;
}

export interface AdmissionContext {
  readonly protocol: Protocol;
  readonly settings: ServerSettings;
  readonly authenticator: Authenticator;
  readonly stats: Stats;
  /** True if the server is closing. */
  isClosing(): boolean;
  /** The current moment of the sessions, see `Sessions.moment`. */
  moment(): number;
  open(admitted: Admitted, socket: ServerSocket): SocketOwner;
}

/**
 * Decides about an upgrade request before a connection exists. A refusal that a browser must be
 * able to read is sent as a close code on an accepted socket, because browsers do not show pages an
 * HTTP status. A refused credential is answered with HTTP 401 instead, unless the client will send
 * `auth`: clients without `auth` are rarely browsers.
 */
export function createAdmission(context: AdmissionContext): Admission {
  const { protocol, settings, authenticator, stats } = context;

  const refuse = (verdict: AdmissionVerdict): AdmissionVerdict => {
    stats.connectionsFailed++;
    return verdict;
  };

  return async (request): Promise<AdmissionVerdict> => {
    const offered = offeredProtocols(request);
    const subprotocol = offered.length === 0 ? undefined : offered.find((name) => name === subprotocols.json);
    const close = (code: number, reason: string): AdmissionVerdict =>
      // The answer must name a subprotocol that the client offered. Otherwise a browser fails
      // before it sees the close code.
      refuse({ kind: "close", subprotocol: subprotocol ?? offered[0], code, reason });

    if (context.isClosing()) return refuse({ kind: "refuse", status: 503, message: "The server is shutting down." });
    if (stats.connectionsActive >= settings.limits.connections) return close(closeNumber.OVERLOADED, OVERLOADED_REASON);
    if (offered.length > 0 && subprotocol === undefined) {
      return close(closeNumber.UNSUPPORTED_PROTOCOL, `This server speaks ${subprotocols.json}.`);
    }

    const strange = hostFault(request, settings);
    if (strange !== undefined) {
      const remedy = "If this host name belongs to the server, add it to `hosts`.";
      settings.logger.warn({ host: shown(request.headers["host"]), remedy }, "upgrade refused: host not allowed");
      return refuse({ kind: "refuse", status: Array.isArray(request.headers["host"]) ? 400 : 421, message: strange });
    }
    const query = new URLSearchParams(request.url.split("?", 2)[1] ?? "");
    const found = authenticator.required ? findCredential(request, query, settings.credentials) : undefined;
    // Credentials in the query are removed from the application's parameters, because a strict
    // schema would reject them.
    if (found?.source === "query") query.delete("token");
    if (found?.source === "ticket") query.delete("ticket");
    const checked = protocol.parameters?.receive(Object.fromEntries(query), undefined, "");
    if (checked && !checked.ok) return close(closeNumber.POLICY, checked.fault.message);
    const parameters = checked?.value;

    // If `origins` is set, the origin of every page is checked. Without `origins`, the origin is
    // checked only if the credential is a cookie, because browsers send cookies automatically.
    const fromPage = settings.origins !== undefined && request.headers["origin"] !== undefined;
    const remedy = fromPage || found?.source === "cookie" ? originFault(request, settings) : undefined;
    if (remedy !== undefined) {
      const { origin, host } = request.headers;
      const fields = { origin: shown(origin), host: shown(host), remedy };
      settings.logger.warn(fields, "upgrade refused: origin not allowed");
      return refuse({ kind: "refuse", status: 403, message: "This origin may not connect." });
    }
    // A client that will send `auth` names its device in `auth` and can read a refusal in the
    // answer, so a credential of the upgrade request is checked when `auth` arrives.
    const introduces = offered.includes(subprotocols.auth);
    if (authenticator.required && !found && settings.credentials.message === false) {
      const message = "The upgrade request carries no credential.";
      if (introduces) return close(closeNumber.UNAUTHENTICATED, message);
      return refuse({ kind: "refuse", status: 401, message });
    }
    let judgedSince: JudgedSince = context.moment();
    let identity: Identity | undefined;
    if (found && !introduces) {
      const result = await authenticator.check(found, request, parameters, undefined);
      // The credential may be valid: `close` has cancelled the wait for `authenticate`.
      if (!result.ok && context.isClosing()) return close(closeNumber.GOING_AWAY, "the server is shutting down");
      if (!result.ok) return refuse({ kind: "refuse", status: 401, message: result.error.message });
      identity = result.identity;
      judgedSince = result.judgedSince ?? judgedSince;
      if (protocol.definition.deviceId === "required" && !identity?.deviceId) {
        const message = "The protocol requires a device id, but the credential names none.";
        return refuse({ kind: "refuse", status: 400, message });
      }
    }
    const isKnown = !introduces && (found !== undefined || !authenticator.required);
    const admitted = { request, parameters, found, known: isKnown ? { identity, judgedSince } : undefined };
    return { kind: "accept", subprotocol, open: (socket) => context.open(admitted, socket) };
  };
}

/** A header as safe text for the log. */
function shown(header: string | string[] | undefined): string {
  return printable(String(header ?? ""));
}

function offeredProtocols(request: UpgradeRequest): string[] {
  const header = request.headers["sec-websocket-protocol"];
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

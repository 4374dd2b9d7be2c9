import { type Cancel, HoldfastError } from "@holdfast/protocol";
import { type ServerEnvironment, inTime, isThenable } from "../environment.js";
import type { Logger } from "../observe/logger.js";
import type { JudgedSince } from "../session/recent-disconnects.js";
import type { UpgradeRequest } from "../transport/socket.js";
import type { ServerSettings } from "../settings.js";
import { cookiesOf, type FoundCredential } from "./credential.js";
import type { Authenticate, Credential, Identity } from "../session/identity.js";
import { originFault, type OriginRules } from "./origin.js";
import type { TicketStore } from "./tickets.js";

export type Authenticated =
  /**
   * `judgedSince` is set if the credential was checked earlier, when a ticket was issued for it.
   */
  { ok: true; identity: Identity | undefined; judgedSince?: JudgedSince } | { ok: false; error: HoldfastError };

/**
 * Checks credentials: calls the application's `authenticate`, redeems tickets, and validates the
 * returned identity. `check` never rejects. If `authenticate` does not answer within
 * `authTimeoutMs`, the credential is refused.
 */
export class Authenticator {
  readonly #authenticate: Authenticate<Identity | undefined> | undefined;
  readonly #environment: ServerEnvironment;
  readonly #timeoutMs: number;
  readonly #logger: Logger;
  readonly #rules: OriginRules;
  readonly #inMessage: boolean;
  /** Undefined if tickets are not accepted. */
  readonly #tickets: TicketStore | undefined;
  /** Each function cancels the wait for one call of `authenticate`. */
  readonly #waiting = new Set<Cancel>();
  #isClosed = false;

  constructor(
    authenticate: Authenticate<Identity | undefined> | undefined,
    settings: Pick<ServerSettings, "environment" | "authTimeoutMs" | "logger" | "origins" | "hosts" | "credentials">,
    tickets: TicketStore | undefined,
  ) {
    this.#authenticate = authenticate;
    this.#environment = settings.environment;
    this.#timeoutMs = settings.authTimeoutMs;
    this.#logger = settings.logger;
    this.#rules = settings;
    this.#inMessage = settings.credentials.message ?? true;
    this.#tickets = tickets;
  }

  /** True if a connection needs a credential. */
  get required(): boolean {
    return this.#authenticate !== undefined;
  }

  async check(
    { token, source }: FoundCredential,
    request: UpgradeRequest,
    parameters: unknown,
    deviceId: string | undefined,
  ): Promise<Authenticated> {
    const authenticate = this.#authenticate;
    if (!authenticate) return { ok: true, identity: undefined };
    if (source === "message" && !this.#inMessage)
      return refused("The server does not accept tokens in `auth` messages.");
    if (source === "ticket") return this.#redeem(token);
    try {
      const asked = authenticate({
        token,
        source,
        deviceId,
        ...this.#shown(request),
        parameters,
        remoteAddress: request.remoteAddress,
      });
      const identity = isThenable(asked)
        ? await inTime(asked, this.#environment, this.#timeoutMs, "authenticate did not answer in time", (giveUp) => {
            this.#waiting.add(giveUp);
            return () => void this.#waiting.delete(giveUp);
          })
        : asked;
      return this.#judge(identity);
    } catch (error) {
      // The application's error text is only logged. The text may reveal which part of a credential
      // was correct.
      if (!this.#isClosed) this.#logger.info({ source, err: error }, "credential refused");
      return refused("The credential was refused.");
    }
  }

  /** Cancels every wait for `authenticate`. Credentials that were not decided yet are refused. */
  close(): void {
    this.#isClosed = true;
    for (const giveUp of this.#waiting) giveUp();
    this.#waiting.clear();
  }

  async #redeem(ticket: string): Promise<Authenticated> {
    try {
      const issued = await this.#tickets?.take(ticket);
      if (!issued) return refused("The ticket is unknown, already used or expired.");
      const judged = this.#judge(issued.identity);
      return judged.ok ? { ...judged, judgedSince: issued.judgedSince } : judged;
    } catch (error) {
      this.#logger.warn({ err: error }, "ticket lookup failed");
      return refused("The ticket could not be looked up.");
    }
  }

  /**
   * The parts of the request that `authenticate` may read. A page of another origin can make the
   * browser send the user's cookies and then send any `auth` message. The cookies are hidden in
   * this case, so that `authenticate` cannot mistake the cookies for a proof of identity.
   */
  #shown(request: UpgradeRequest): Pick<Credential, "cookies" | "headers"> {
    const { cookie, ...headers } = request.headers;
    // Browsers send an Origin header with every WebSocket upgrade, so a request without Origin does
    // not come from a page.
    const foreign = headers["origin"] !== undefined && originFault(request, this.#rules) !== undefined;
    if (cookie === undefined || foreign) return { cookies: {}, headers };
    return { cookies: cookiesOf(request), headers: request.headers };
  }

  /**
   * Issues a ticket for an identity.
   * @throws HoldfastError INVALID_OPTION if tickets are not accepted; INVALID_VALUE if the identity
   *   is not valid. With a broker, the promise rejects with UNAVAILABLE if the broker cannot be
   *   reached, and with INVALID_VALUE if JSON cannot hold the identity
   */
  issueTicket(identity: Identity): string | Promise<string> {
    if (!this.#tickets)
      throw new HoldfastError("INVALID_OPTION", "issueTicket: the server does not accept tickets.", {
        field: "credentials.ticket",
        remedy: "Set the options `credentials: { ticket: true }` and `authenticate`.",
      });
    // oxlint-disable-next-line no-restricted-properties -- compared with an expiresAt
    const fault = identityFault(identity, this.#environment.now());
    if (fault)
      throw new HoldfastError("INVALID_VALUE", `issueTicket: expected an identity with ${fault}.`, {
        field: "identity",
      });
    return this.#tickets.issue(identity);
  }

  #judge(identity: Identity | undefined): Authenticated {
    // oxlint-disable-next-line no-restricted-properties -- compared with an expiresAt
    const fault = identityFault(identity, this.#environment.now());
    if (!identity || fault) {
      this.#logger.error({ expected: fault }, "authenticate returned an invalid identity, connection refused");
      return refused("The credential was refused.");
    }
    // oxlint-disable-next-line no-restricted-properties -- the end of a credential is a date
    if (identity.expiresAt !== undefined && identity.expiresAt <= this.#environment.now())
      return refused("The credential has expired.");
    return { ok: true, identity };
  }
}

/**
 * Half of a surrogate pair, for example from a name that was cut. Clients refuse every frame that
 * contains one.
 */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/**
 * A number below this is taken as seconds. In milliseconds the number would be a date before 1974;
 * as a number of seconds, it is a date up to the year 5138.
 */
const SECONDS_BELOW = 1e11;

/**
 * Describes the part of an identity that is invalid; undefined if the identity is valid. Values are
 * checked beyond their type: a NaN (`exp * 1000` for a token without `exp`) would never expire, and
 * `exp` itself, which is in seconds, would count as expired.
 */
function identityFault(identity: Identity | undefined, now: number): string | undefined {
  if (typeof identity?.userId !== "string" || identity.userId === "") return "a userId";
  const { userId, deviceId, expiresAt } = identity;
  if (LONE_SURROGATE.test(`${userId} ${deviceId}`))
    return "a userId and a deviceId of whole characters (no half surrogate pair)";
  if (deviceId !== undefined && !(typeof deviceId === "string" && deviceId.length >= 1 && deviceId.length <= 128))
    return "a deviceId of 1 to 128 characters, or without one";
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) return "an expiresAt in milliseconds, or without one";
  if (expiresAt !== undefined && expiresAt > 0 && expiresAt < SECONDS_BELOW && now > SECONDS_BELOW)
    return `an expiresAt in milliseconds: ${expiresAt} is in seconds, as the \`exp\` of a JWT is; return \`exp * 1_000\``;
  return undefined;
}

function refused(message: string): Authenticated {
  return { ok: false, error: new HoldfastError("UNAUTHENTICATED", message) };
}

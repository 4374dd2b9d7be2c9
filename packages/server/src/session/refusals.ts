import { type CloseName, closeNumber, HoldfastError } from "@holdfast/protocol";

/** Why a connection is refused although the credential is valid. */
export interface SessionRefusal {
  readonly ok: false;
  readonly error: HoldfastError;
  readonly close: CloseName | number;
  readonly reason: string;
}

/**
 * The most metadata that a client may send. Characters of JSON. The server keeps the metadata for
 * as long as the session.
 */
export const MAX_METADATA = 4_096;

/**
 * How long a client waits before it retries if the user has too many devices. One of the devices
 * may have disconnected by then.
 */
const FULL_RETRY_MS = 30_000;
/** The close reason, from which clients read the delay. */
export const FULL_REASON = `{"retryAfterMs":${FULL_RETRY_MS}}`;

export const deviceMissing: SessionRefusal = {
  ok: false,
  error: new HoldfastError("BAD_MESSAGE", "data.device_id: the protocol requires a device id, received none.", {
    field: "data.device_id",
    remedy: "Pass `deviceId` to the client (it is sent in `auth`), or return a `deviceId` from `authenticate`.",
  }),
  close: "BAD_REQUEST",
  reason: "a device id is required",
};

export const tooWordy: SessionRefusal = {
  ok: false,
  error: new HoldfastError("LIMIT_EXCEEDED", `metadata: expected at most ${MAX_METADATA} characters of JSON.`, {
    field: "metadata",
    remedy: "Send less metadata, or declare connection parameters in the protocol.",
  }),
  close: "BAD_REQUEST",
  reason: "the metadata of auth is too large",
};

export const notBegun: SessionRefusal = {
  ok: false,
  error: new HoldfastError("INTERNAL", "The session could not be started."),
  close: "INTERNAL",
  reason: "the server failed",
};

export function full(perUser: number): SessionRefusal {
  const error = new HoldfastError("LIMIT_EXCEEDED", `This user has ${perUser} devices connected, which is the limit.`, {
    remedy: "Disconnect another device first.",
    retryAfterMs: FULL_RETRY_MS,
  });
  return { ok: false, error, close: "RATE_LIMITED", reason: FULL_REASON };
}

/** The application disconnected the user or session while the credential was being checked. */
export function endedMeanwhile(code: number, reason: string): SessionRefusal {
  const name = code === closeNumber.UNAUTHENTICATED ? "UNAUTHENTICATED" : "FORBIDDEN";
  const error = new HoldfastError(name, "The user or session was disconnected during authentication.");
  return { ok: false, error, close: code, reason };
}

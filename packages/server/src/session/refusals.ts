import { type CloseName, closeNumber, HoldfastError } from "@holdfast/protocol";

/** Why a connection whose credential is good does not get in all the same. */
export interface SessionRefusal {
  readonly ok: false;
  readonly error: HoldfastError;
  readonly close: CloseName | number;
  readonly reason: string;
}

/**
 * What a client may say of itself, in characters of JSON: it is kept for as long as the session.
 */
export const MAX_METADATA = 4_096;

/** A user at the limit of devices may try again: one of them may have gone. */
const FULL_RETRY_MS = 30_000;
/** The reason of the close: clients read from it when to come back. */
export const FULL_REASON = `{"retryAfterMs":${FULL_RETRY_MS}}`;

export const deviceMissing: SessionRefusal = {
  ok: false,
  error: new HoldfastError("BAD_MESSAGE", "The protocol requires a device id, and none was named.", {
    field: "data.device_id",
    remedy: "Name the device in auth (the client: its `deviceId` option), or return a deviceId from authenticate.",
  }),
  close: "BAD_REQUEST",
  reason: "a device id is required",
};

export const tooWordy: SessionRefusal = {
  ok: false,
  error: new HoldfastError("LIMIT_EXCEEDED", `metadata: expected at most ${MAX_METADATA} characters of JSON.`, {
    field: "metadata",
    remedy: "Say less, or declare connection parameters.",
  }),
  close: "BAD_REQUEST",
  reason: "the metadata of auth is too large",
};

export const notBegun: SessionRefusal = {
  ok: false,
  error: new HoldfastError("INTERNAL", "The session could not be begun."),
  close: "INTERNAL",
  reason: "the server failed",
};

export function full(perUser: number): SessionRefusal {
  const error = new HoldfastError(
    "LIMIT_EXCEEDED",
    `This user has ${perUser} devices connected, and may have no more.`,
    {
      remedy: "Disconnect another device first.",
      retryAfterMs: FULL_RETRY_MS,
    },
  );
  return { ok: false, error, close: "RATE_LIMITED", reason: FULL_REASON };
}

/** The application has disconnected the user or session while the credential was being judged. */
export function endedMeanwhile(code: number, reason: string): SessionRefusal {
  const name = code === closeNumber.UNAUTHENTICATED ? "UNAUTHENTICATED" : "FORBIDDEN";
  const error = new HoldfastError(name, "The user or session was disconnected meanwhile.");
  return { ok: false, error, close: code, reason };
}

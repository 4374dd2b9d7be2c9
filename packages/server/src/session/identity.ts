/** Who is on the other side, as `authenticate` says. */
export interface Identity {
  readonly userId: string;
  /**
   * Names the device, where the application knows it. @default what the client names, or else the
   * session counts as one
   */
  readonly deviceId?: string | undefined;
  /**
   * When the credential ends. 30 s before, the client is asked for a newer one; 25 s after, without
   * one, the connection is closed with 4401. Milliseconds since 1970. @default never
   */
  readonly expiresAt?: number | undefined;
  /** Whatever else `authorize` and the handlers want to know: roles, a tenant, a plan. */
  readonly claims?: unknown;
}

/** Where a credential came from. */
export type CredentialSource = "message" | "header" | "cookie" | "query";

/** What `authenticate` is given to decide by. */
export interface Credential<Parameters = unknown> {
  /**
   * The token of the `auth` message, the bearer of the Authorization header, the value of the
   * cookie, or `?token=`.
   */
  readonly token: string;
  readonly source: CredentialSource;
  /** The device id that the client gives itself. A claim, not a proof. */
  readonly deviceId: string | undefined;
  /**
   * The cookies of the upgrade request; none where a page of an origin that is neither the server's
   * nor listed has sent them.
   */
  readonly cookies: Readonly<Record<string, string | undefined>>;
  /** The headers of the upgrade request, names in lower case; `cookie` under the same condition. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The connection parameters, validated. */
  readonly parameters: Parameters;
  readonly remoteAddress: string;
}

/** Decides who a credential belongs to. To refuse it, throw. */
export type Authenticate<I, Parameters = unknown> = (credential: Credential<Parameters>) => I | Promise<I>;

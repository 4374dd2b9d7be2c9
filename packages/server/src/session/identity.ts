/** The user that `authenticate` recognised in a credential. */
export interface Identity {
  readonly userId: string;
  /**
   * Names the device if the application knows it. @default the device id that the client sends,
   * otherwise the session's id
   */
  readonly deviceId?: string | undefined;
  /**
   * When the credential expires. Milliseconds since 1970. The client is asked for a new credential
   * 30 s before the expiry, or after half of the credential's life if that life is shorter than a
   * minute. If no new credential has arrived 25 s after the expiry, the connection is closed with
   * 4401.
   * @default the credential does not expire
   */
  readonly expiresAt?: number | undefined;
  /** Any other data that `authorize` and the handlers need, such as roles, a tenant or a plan. */
  readonly claims?: unknown;
}

/** The part of the connection that carried a credential. */
export type CredentialSource = "message" | "header" | "cookie" | "query";

/** The input of `authenticate`. */
export interface Credential<Parameters = unknown> {
  /**
   * The token from the `auth` message, the bearer token of the Authorization header, the value of
   * the cookie, or the query parameter `token`.
   */
  readonly token: string;
  readonly source: CredentialSource;
  /**
   * The device id that the client chose. The client can claim any id, so the value proves nothing.
   */
  readonly deviceId: string | undefined;
  /**
   * The cookies of the upgrade request. Empty if a page of a foreign origin opened the connection,
   * that is an origin that is neither the server's own nor listed in `origins`.
   */
  readonly cookies: Readonly<Record<string, string | undefined>>;
  /**
   * The headers of the upgrade request, with names in lower case. `cookie` is missing in the same
   * case as above.
   */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The validated connection parameters. */
  readonly parameters: Parameters;
  readonly remoteAddress: string;
}

/** Recognises the user of a credential. Throw to refuse the credential. */
export type Authenticate<I, Parameters = unknown> = (credential: Credential<Parameters>) => I | Promise<I>;

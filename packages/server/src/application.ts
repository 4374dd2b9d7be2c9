import type { Protocol, ProtocolDefinition } from "@holdfast/protocol";
import type { Identity } from "./session/identity.js";
import type { ShowMember } from "./dispatch/presence-updates.js";
import type { MayJoin } from "./dispatch/subscriptions.js";
import { received } from "./call-options.js";
import { isThenable } from "./environment.js";
import type { Logger } from "./observe/logger.js";
import type { AuthorizeQuestion, JoinQuestion, ServerOptions } from "./options.js";
import { invalid } from "./settings.js";
import type { Session } from "./session/session.js";

/**
 * Wraps the option `authorize` in a function whose types do not depend on the protocol. Undefined
 * if the option is not set.
 */
export function mayJoinOf<P extends ProtocolDefinition, I extends Identity | undefined, Data>(
  options: ServerOptions<P, I, Data>,
): MayJoin | undefined {
  const { authorize } = options;
  return (
    authorize &&
    (({ identity, session }, { contract, key }) => {
      const question: JoinQuestion = {
        identity,
        session: session as Session,
        channel: contract.name,
        key,
        action: "subscribe",
      };
      return authorize(question as AuthorizeQuestion<P, I, Data>);
    })
  );
}

/**
 * Wraps the functions of the option `presence`, by channel, in functions whose types do not depend
 * on the protocol.
 *
 * @throws HoldfastError INVALID_OPTION; `field` names the option of the channel
 */
export function showersOf<P extends ProtocolDefinition, I extends Identity | undefined, Data>(
  protocol: Protocol<P>,
  options: ServerOptions<P, I, Data>,
  logger: Logger,
): Map<string, ShowMember> {
  const show = new Map<string, ShowMember>();
  for (const [name, ask] of Object.entries(options.presence ?? {})) {
    if (!protocol.channels.get(name)?.presence)
      invalid(`presence.${name}`, "the protocol has no such channel with presence");
    if (typeof ask !== "function") invalid(`presence.${name}`, `expected a function, ${received(ask)}`);
    const asked = ask as (question: object) => unknown;
    show.set(name, ({ identity, session }, { key }, data) => {
      const shown = asked({ identity, session: session as Session, key, data });
      if (!isThenable(shown)) return shown;
      Promise.resolve(shown).catch((error: unknown) =>
        logger.error({ channel: name, err: error }, "a promise returned by the presence option was rejected"),
      );
      throw new Error(
        "`presence` must not be asynchronous. Put the data it needs into the identity that `authenticate` returns.",
      );
    });
  }
  return show;
}

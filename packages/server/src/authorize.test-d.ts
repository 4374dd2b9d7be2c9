import { defineProtocol, type Protocol, type ProtocolDefinition } from "@holdfast/protocol";
import { type AuthorizeQuestion, createServer, type JoinQuestion, type Server } from "@holdfast/server";
import { expectTypeOf, test } from "vitest";
import * as z from "zod";

const shop = defineProtocol({
  name: "shop",
  version: "1.0.0",
  channels: {
    news: { events: { published: z.string() } },
    region: { key: z.enum(["eu", "us"]), events: { moved: z.null() } },
    room: { key: z.uuid(), events: { said: z.string() }, presence: z.object({ name: z.string() }) },
    cart: { key: z.templateLiteral(["cart-", z.number()]), document: z.object({ items: z.number() }) },
  },
});
const authenticate = () => ({ userId: "u1", claims: { regions: ["eu"] } });
interface Claims {
  userId: string;
  claims: { regions: string[] };
}

test("[TY10] authorize: the channel's name narrows the type of the key, even after destructuring", () => {
  createServer(shop, {
    authenticate,
    sessionData: () => ({ joined: 0 }),
    authorize(question) {
      expectTypeOf(question.channel).toEqualTypeOf<"news" | "region" | "room" | "cart">();
      expectTypeOf(question.identity.claims.regions).toEqualTypeOf<string[]>();
      expectTypeOf(question.session.data.joined).toEqualTypeOf<number>();
      expectTypeOf(question.action).toEqualTypeOf<"subscribe">();
      if (question.channel === "region") {
        expectTypeOf(question.key).toEqualTypeOf<"eu" | "us">();
        expectTypeOf(question.identity.userId).toEqualTypeOf<string>();
        return question.identity.claims.regions.includes(question.key);
      }
      // @ts-expect-error: there is no such channel
      if (question.channel === "rooms") return false;
      // @ts-expect-error: the key may be undefined here
      return question.key.length > 1;
    },
  });
  createServer(shop, {
    authenticate,
    authorize: ({ channel, key, identity }) => {
      switch (channel) {
        case "news":
          expectTypeOf(key).toEqualTypeOf<undefined>();
          return true;
        case "region":
          expectTypeOf(key).toEqualTypeOf<"eu" | "us">();
          // @ts-expect-error: this channel has no such key
          return key !== "asia";
        case "room":
          expectTypeOf(key).toEqualTypeOf<string>();
          return key === identity.userId;
        case "cart":
          expectTypeOf(key).toEqualTypeOf<`cart-${number}`>();
          return true;
        default:
          return channel satisfies never;
      }
    },
  });
});

test("[TY10] authorize: accepts functions written for one protocol or for every protocol", () => {
  const ofShop = (question: AuthorizeQuestion<typeof shop.definition, Claims>): boolean =>
    question.channel !== "region" || ofRegion(question);
  const ofRegion = ({ key, identity }: JoinQuestion<"region", "eu" | "us", Claims>): boolean =>
    identity.claims.regions.includes(key);
  const ofAny = ({ channel, key, session }: JoinQuestion): boolean => `${channel}:${key}` !== session.id;
  createServer(shop, { authenticate, authorize: ofShop });
  createServer(shop, { authenticate, authorize: ofAny });
  createServer(shop, { authenticate, authorize: async (question) => ofShop(question) && ofAny(question) });
  // @ts-expect-error: there are other channels
  createServer(shop, { authenticate, authorize: ofRegion });
});

test("[TY10] authorize: compiles without channels, for an unknown protocol, and in generic code", () => {
  const bare = defineProtocol({ name: "bare", version: "1.0.0", requests: { ping: {} } });
  createServer(bare, {
    authenticate,
    authorize: ({ channel, key, identity }) => {
      expectTypeOf(channel).toEqualTypeOf<string>();
      expectTypeOf(key).toEqualTypeOf<string | undefined>();
      return identity.claims.regions.includes(channel);
    },
  });
  createServer(bare as Protocol, {
    authenticate,
    authorize: ({ channel, key }) => channel === "room" && key !== "secret",
  });
  function serve<P extends ProtocolDefinition>(protocol: Protocol<P>): Server<P, Claims> {
    return createServer(protocol, {
      authenticate,
      authorize: ({ channel, key, identity, session }) => {
        expectTypeOf(identity.claims.regions).toEqualTypeOf<string[]>();
        const names: string = channel;
        const text: string | undefined = key;
        return names === "room" ? identity.claims.regions.includes(text ?? "") : session.isConnected;
      },
    });
  }
  serve(shop);
  const one = defineProtocol({
    name: "one",
    version: "1.0.0",
    channels: { room: { key: z.string(), events: { said: z.string() } } },
  });
  createServer(one, { authorize: ({ channel, key }) => channel === "room" && key.length > 1 });
});

test("[TY11] presence and documents: the functions receive the key of their channel", () => {
  createServer(shop, {
    authenticate,
    presence: {
      room: ({ key, data, identity }) => {
        expectTypeOf(key).toEqualTypeOf<string>();
        expectTypeOf(data).toEqualTypeOf<{ name: string } | undefined>();
        return { name: identity.userId };
      },
    },
    documents: {
      cart: {
        load: ({ key }) => {
          expectTypeOf(key).toEqualTypeOf<`cart-${number}`>();
          return undefined;
        },
        save: ({ key }) => expectTypeOf(key).toEqualTypeOf<`cart-${number}`>(),
      },
    },
  });
});

import { expectTypeOf, test } from "vitest";
import type { z } from "zod/mini";
import type { ServerOptions } from "./options.js";
import type { optionsSchema } from "./settings.js";

type Documented = Required<ServerOptions<never, never>>;
type Checked = Required<z.output<typeof optionsSchema>>;

test("[OP1] optionsSchema has exactly the options that `ServerOptions` documents", () => {
  expectTypeOf<keyof Checked>().toEqualTypeOf<keyof Documented>();
  expectTypeOf<keyof Checked["credentials"]>().toEqualTypeOf<keyof Documented["credentials"]>();
  expectTypeOf<keyof Checked["heartbeat"]>().toEqualTypeOf<keyof Documented["heartbeat"]>();
  expectTypeOf<keyof Checked["limits"]>().toEqualTypeOf<keyof Documented["limits"]>();
  expectTypeOf<keyof Checked["devices"]>().toEqualTypeOf<keyof Documented["devices"]>();
});

import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";

const report = z.object({ id: z.string(), title: z.string() });

export const reports = defineProtocol({
  name: "reports",
  version: "1.0.0",
  requests: {
    // This request changes nothing, so the client may send it again after a reconnect.
    "report.search": { kind: "query", input: z.object({ text: z.string() }), output: z.array(report) },
    // Without `kind`, a request is `once`: the client never repeats it.
    "report.create": {
      input: z.object({ title: z.string().min(1) }),
      output: report,
      errors: { TITLE_TAKEN: z.object({ id: z.string() }) },
    },
  },
});

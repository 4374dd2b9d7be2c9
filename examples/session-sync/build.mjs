import { buildExample } from "@holdfast/example-kit/build";

await buildExample(new URL("./", import.meta.url));

export {
  compareFiles,
  type DocsOptions,
  type Drift,
  type Files,
  protocolFiles,
  wireFiles,
  writeFiles,
} from "./docs/index.js";

/**
 * The entry `.` of a page's production build. It imports all code of `./internal`, and that entry
 * all code of this one. So the build makes one chunk that both entries re-export: Terser sees the
 * whole, and a page that imports both downloads nothing twice.
 */
export * from "../index.js";
import "../plumbing.js";

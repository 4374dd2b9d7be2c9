/**
 * The entry `.` of a page's production build. It imports all code of the entry `./internal`, and
 * that entry imports all code of this one. So the build makes one chunk that both entries
 * re-export: Terser sees all of the code, and a page that imports both entries downloads nothing
 * twice.
 */
export * from "../index.js";
import "../plumbing.js";

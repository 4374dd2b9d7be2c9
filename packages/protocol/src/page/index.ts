/**
 * The entry `.` of a page's production build. This entry and the entry `./internal` import each
 * other's code. So the build makes one chunk that both entries re-export: Terser sees all of the
 * code, and a page that imports both entries downloads nothing twice.
 */
export * from "../index.js";
import "../plumbing.js";

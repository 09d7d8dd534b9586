// @ts-check
/** Starts ReDoc over our own description of the API. */

/**
 * The options of ReDoc that we set.
 * @typedef {object} Options
 * @property {boolean} disableSearch
 * @property {boolean} nativeScrollbars
 * @property {{ typography: { fontFamily: string, headings: { fontFamily: string } } }} theme
 */

const { Redoc } = /** @type {{ Redoc: { init(url: string, options: Options, root: HTMLElement): void } }} */ (
  /** @type {unknown} */ (window)
);

const root = document.getElementById("docs");
const url = root?.dataset.openapiUrl;

if (root && url) {
  Redoc.init(
    url,
    {
      // Its search runs in a worker made from a blob, which our Content-Security-Policy does not allow.
      disableSearch: true,
      nativeScrollbars: true,
      theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } },
    },
    root,
  );
}

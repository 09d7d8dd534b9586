// @ts-check
/** Starts Swagger UI over our own description of the API. */

/**
 * The options of Swagger UI that we set.
 * @typedef {object} Options
 * @property {HTMLElement} domNode
 * @property {string} url
 * @property {null} validatorUrl
 * @property {boolean} deepLinking
 * @property {boolean} displayRequestDuration
 */

const { SwaggerUIBundle } = /** @type {{ SwaggerUIBundle: (options: Options) => void }} */ (
  /** @type {unknown} */ (window)
);

const root = document.getElementById("docs");
const url = root?.dataset.openapiUrl;

if (root && url) {
  SwaggerUIBundle({
    domNode: root,
    url,
    // Unset, Swagger UI sends the address of this journal to a validator on the internet.
    validatorUrl: null,
    deepLinking: true,
    displayRequestDuration: true,
  });
}

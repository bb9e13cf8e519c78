const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const swc = require('@swc/jest');

/**
 * In jest's sandbox every look at a global goes through an interceptor, and loops over numbers do little else. ES modules get
 * them as constants of their own, looked up once; `sandboxInjectedGlobals` does the same, for CommonJS alone.
 */
const GLOBALS = [
  ...['Array', 'Infinity', 'Map', 'Math', 'NaN', 'Number', 'Object', 'Set', 'String'],
  ...[
    'DataView',
    'Float32Array',
    'Float64Array',
    'Int8Array',
    'Int32Array',
    'Uint8Array',
    'Uint16Array',
    'Uint32Array',
  ],
];

function withOwnGlobals(code) {
  const used = GLOBALS.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  const own = used.map((name) => `${name} = globalThis.${name}`).join(', ');
  // On the first line, so that the others keep their numbers.
  return own === '' || code.startsWith('#!') ? code : `const ${own}; ${code}`;
}

/** The text of this file: with another one, nothing that it has made before is used. */
const own = readFileSync(module.filename);

/** swc's, with that. */
exports.createTransformer = (options) => {
  const inner = swc.createTransformer(options);
  return {
    ...inner,
    process(...request) {
      const result = inner.process(...request);
      return { ...result, code: withOwnGlobals(result.code) };
    },
    getCacheKey(...request) {
      return createHash('sha256')
        .update(inner.getCacheKey(...request))
        .update(own)
        .digest('hex');
    },
  };
};

const { createRequire } = require('node:module');
const vm = require('node:vm');
// Jest's own, the same object.
const lexer = createRequire(require.resolve('jest'))('cjs-module-lexer');

/**
 * Jest compiles every module anew for each test file. Here a worker keeps V8's compiled code of a module by its text, and the names that a
 * CommonJS module exports; instances of modules are as new for each test file as before.
 */
const compiled = new Map();

/** Node finds no callback for a dynamic import in code that V8 has from a cache. */
const hasDynamicImport = (code) => /\bimport\s*\(/.test(code);

const { compileFunction, SourceTextModule } = vm;

vm.compileFunction = (code, params, options) => {
  const cachedData = compiled.get(code);
  const isNew = cachedData === undefined && !hasDynamicImport(code);
  const made = compileFunction(code, params, { ...options, cachedData, produceCachedData: isNew });
  if (isNew) compiled.set(code, made.cachedData);
  return made;
};

vm.SourceTextModule = class extends SourceTextModule {
  constructor(code, options) {
    const cachedData = compiled.get(code);
    super(code, { ...options, cachedData });
    if (cachedData === undefined && !hasDynamicImport(code)) compiled.set(code, this.createCachedData());
  }
};

const parsed = new Map();
const { parse } = lexer;
lexer.parse = (code, name) => {
  const known = parsed.get(code);
  if (known !== undefined) return known;
  const names = parse(code, name);
  parsed.set(code, names);
  return names;
};

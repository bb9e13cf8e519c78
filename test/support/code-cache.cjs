const vm = require('node:vm');

/**
 * Jest compiles each module anew for every test file; a worker keeps the compiled code here, by its source, which takes a sixth off the time
 * that a test file needs before its first test.
 */
const modules = new Map();
const functions = new Map();
/** Code that comes from here cannot import modules while it runs: Node 20 finds no callback for it. */
const isKept = (source) => !source.includes('import(');

const { compileFunction, SourceTextModule } = vm;

function compileModule(source, options) {
  const cachedData = modules.get(source);
  if (cachedData === undefined) return new SourceTextModule(source, options);
  try {
    return new SourceTextModule(source, { ...options, cachedData });
  } catch (error) {
    // A test has changed a flag of V8, with which it compiles otherwise.
    if (error.code !== 'ERR_VM_MODULE_CACHED_DATA_REJECTED') throw error;
    modules.delete(source);
    return new SourceTextModule(source, options);
  }
}

vm.SourceTextModule = new Proxy(SourceTextModule, {
  construct(_, [source, options]) {
    const module = compileModule(source, options);
    if (isKept(source) && !modules.has(source)) modules.set(source, module.createCachedData());
    return module;
  },
});

vm.compileFunction = (source, parameters, options) => {
  if (!isKept(source)) return compileFunction(source, parameters, options);
  const cachedData = functions.get(source);
  if (cachedData !== undefined) return compileFunction(source, parameters, { ...options, cachedData });
  const made = compileFunction(source, parameters, { ...options, produceCachedData: true });
  functions.set(source, made.cachedData);
  return made;
};

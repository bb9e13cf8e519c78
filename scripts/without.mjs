/**
 * `npm run test:without -- NAME [--types]`: the tree without a feature must compile, keep the layers, and pass the unit tests that are left. `--list`
 * prints the names; `--types` leaves out the unit tests. A copy of the tree in a temporary folder loses the feature's folder, its row and its cells in
 * the lists of features, its docs page `docs/KIND/NAME.md`, and its tests: `test/KIND/NAME`, and files of `test` and `bench` that import what is gone or
 * say so in a comment of a line: `// Needs the features boxes and vector.` With `serve`, `page`, `streams` and `convert-page`, which are folders of `src`, go the cells of other
 * features and the commands that import them.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import ts from 'typescript';

const ROOT = path.resolve(import.meta.dirname, '..');
const FEATURES = 'src/features.ts';
/** The part of the list that kits load. */
const KITS = 'src/kits.ts';
/** Files that name features: the list, its parts for kits and for browsers, and the exports of the library. */
const LISTS = [FEATURES, KITS, 'src/browser.ts', 'src/convert.ts', 'src/index.ts'];
/** Folders of `src` that are features. */
const PLANES = ['serve', 'page', 'streams', 'convert-page'];
/** Folders whose files go with what they import. */
const CELLS = /^src\/(answers|commands|consumers|convert-page|methods|observers|places|samples|teachers)\//;
/** Features that stay: answers of classes, which others build on. */
const STAY = new Set(['classes']);

/** Syntax tree of a file. */
const parsed = (file, text) => ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);

/** Specifiers of static and dynamic imports and of re-exports below a node. */
function specifiersIn(node) {
  const own = (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier;
  const called =
    ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments[0] : undefined;
  const typed = ts.isImportTypeNode(node) ? node.argument.literal : undefined;
  const found = own || called || typed;
  const below = [];
  node.forEachChild((child) => void below.push(...specifiersIn(child)));
  return found !== undefined && ts.isStringLiteralLike(found) ? [found.text, ...below] : below;
}

/** Folder of each feature below `src`, by name: those that the list of features names. */
export function featuresIn(text) {
  const places = specifiersIn(parsed(FEATURES, text)).map((to) =>
    /^\.\/((?:data|files)\/formats|\w+)\/([\w-]+)\//.exec(to),
  );
  const kinds = /^(answers|consumers|(data|files)\/formats|methods|observers|places|samples|teachers)$/;
  const rows = places.flatMap((place) =>
    place && kinds.test(place[1]) ? [[place[2], `${place[1]}/${place[2]}`]] : [],
  );
  return new Map([...rows, ...PLANES.map((name) => [name, name])]);
}

/** Files of `src` in a folder, with the cells and commands that import them. */
export function sourcesOf(place, files, read) {
  const gone = new Set(files.filter((file) => file.startsWith(`src/${place}/`)));
  const cells = files.filter((file) => CELLS.test(file) && file.endsWith('.ts'));
  const imports = new Map(cells.map((file) => [file, importsOf(file, read(file))]));
  for (let before = -1; before < gone.size;) {
    before = gone.size;
    for (const [file, to] of imports) if (to.some((other) => gone.has(other))) gone.add(file);
  }
  return gone;
}

/** Paths of the files that a file imports. */
function importsOf(file, text) {
  const to = specifiersIn(parsed(file, text)).filter((specifier) => specifier.startsWith('.'));
  return to.map((specifier) => path.posix.join(path.posix.dirname(file), specifier));
}

/** A list of features without imports of files that are gone, statements that use what they brought, and properties and elements that load them. */
export function withoutFiles(text, isGone) {
  const source = parsed(FEATURES, text);
  const leads = (node) => specifiersIn(node).some((to) => isGone(path.posix.join('src', to)));
  const gone = [];
  const names = new Set();
  for (const statement of source.statements)
    if ((ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) && leads(statement)) {
      gone.push(statement);
      if (ts.isExportDeclaration(statement)) continue;
      const { name, namedBindings } = statement.importClause ?? {};
      if (name !== undefined) names.add(name.text);
      for (const { name: own } of namedBindings?.elements ?? []) names.add(own.text);
    }
  const uses = (node) =>
    (ts.isIdentifier(node) && names.has(node.text)) ||
    (node.forEachChild((child) => uses(child) || undefined) ?? false);
  /** Adds the smallest property or element that names the feature, or the call that has its row as an argument; true if it added any. */
  const visit = (node) => {
    const call = ts.isExpressionStatement(node) && ts.isCallExpression(node.expression) ? node.expression : undefined;
    const named = call && [...call.arguments, call.expression, call.expression.expression];
    if (named?.some((given) => given && ts.isIdentifier(given) && names.has(given.text))) return gone.push(node) > 0;
    let isFound = false;
    node.forEachChild((child) => {
      if (visit(child)) isFound = true;
    });
    const isPart =
      ts.isObjectLiteralElementLike(node) || ts.isArrayLiteralExpression(node.parent) || ts.isPropertySignature(node);
    return isFound || (isPart && (leads(node) || uses(node)) && gone.push(node) > 0);
  };
  /** True for a row that is a name, or an object of its own, with cells all of which are gone: `data('idx', { reader: … })`. */
  const isEmpty = ({ expression: call }) => {
    const row = call && ts.isCallExpression(call) && call.arguments[0];
    if (!row || !(ts.isStringLiteral(row) || ts.isObjectLiteralExpression(row))) return false;
    const given = call.arguments[1];
    const cells = (given && ts.isSatisfiesExpression(given) ? given.expression : given)?.properties ?? [];
    return cells.length > 0 && cells.every((cell) => gone.includes(cell));
  };
  for (const statement of source.statements) if (!gone.includes(statement)) visit(statement);
  for (const row of source.statements.filter(isEmpty)) {
    const kept = gone.filter((node) => node.pos < row.pos || node.end > row.end);
    gone.splice(0, gone.length, ...kept, row);
  }
  gone.sort((a, b) => a.pos - b.pos);
  let out = text;
  for (const node of gone.reverse()) {
    const comma = /^\s*,/.exec(out.slice(node.end))?.[0].length ?? 0;
    out = out.slice(0, node.getFullStart()) + out.slice(node.end + comma);
  }
  return out;
}

/** Files of tests that go with a folder of `src`: its own, those that import what is gone, and those that say that they need the feature. */
export function testsOf({ place, name }, sources, files, read) {
  const tests = files.filter((file) => /^(test|bench)\/.*\.(ts|mjs|js)$/.test(file));
  const isOwn = (file) => file.startsWith(`test/${place}/`);
  const needs = (text) => new RegExp(`^// Needs the features? .*\\b${name}\\b`, 'm').test(text);
  const texts = new Map(tests.map((file) => [file, read(file)]));
  const imports = new Map([...texts].map(([file, text]) => [file, importsOf(file, text)]));
  const gone = new Set(tests.filter((file) => isOwn(file) || needs(texts.get(file))));
  for (let before = -1; before < gone.size;) {
    before = gone.size;
    for (const [file, to] of imports) if (to.some((other) => sources.has(other) || gone.has(other))) gone.add(file);
  }
  return [...gone].sort();
}

function run(folder, what, words) {
  console.log(`${what} …`);
  const { status } = spawnSync(process.execPath, words, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) console.log(`${what}: failed`);
  return status === 0;
}

const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];

/** True if the copy without the feature is whole. */
function check({ place, name }, isTypes) {
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 }); // prettier-ignore
  const files = listed.stdout.split('\n').filter((file) => file !== '');
  const read = (file) => readFileSync(path.join(ROOT, file), 'utf8');
  const sources = sourcesOf(place, files, read);
  const tests = testsOf({ place, name }, sources, files, read);
  const isGone = (file) =>
    sources.has(file) || file.startsWith(`test/${place}/`) || file === `docs/${place}.md` || tests.includes(file);
  const folder = mkdtempSync(path.join(tmpdir(), `without-${name}-`));
  try {
    for (const file of files.filter((one) => !isGone(one))) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      cpSync(path.join(ROOT, file), path.join(folder, file), { verbatimSymlinks: true });
    }
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    for (const list of LISTS) writeFileSync(path.join(folder, list), withoutFiles(read(list), isGone));
    // The layer of a folder of `src`.
    const layers = 'docs/architecture.md';
    const rows = read(layers)
      .split('\n')
      .filter((line) => !/^\| \d/.test(line) || !line.includes(`\`src/${place}/\``));
    writeFileSync(path.join(folder, layers), rows.join('\n'));
    console.log(`Without ${name}: ${files.filter(isGone).length} files gone, ${tests.length} of them tests.`);
    const tsc = ['node_modules/typescript-7/bin/tsc', '-p', 'tsconfig.json', '--noEmit', '--incremental', 'false'];
    const compiles = run(folder, 'types', tsc);
    const isLayered = run(folder, 'layers', [...JEST, 'test/architecture.test.ts']);
    return (isTypes || run(folder, 'unit tests', JEST)) && compiles && isLayered;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main() {
  const flag = { type: 'boolean', default: false };
  const { values, positionals } = parseArgs({ options: { list: flag, types: flag }, allowPositionals: true });
  const lists = [FEATURES, KITS].map((file) => readFileSync(path.join(ROOT, file), 'utf8'));
  const features = featuresIn(lists.join('\n'));
  const names = [...features.keys()].filter((name) => !STAY.has(name));
  if (values.list) return void console.log(names.join('\n'));
  const unknown = positionals.find((name) => !names.includes(name));
  if (positionals.length === 0 || unknown !== undefined) {
    console.error(
      `expected names of features that can be taken out, received ${unknown ?? 'none'}: ${names.join(', ')}`,
    );
    process.exitCode = 1;
    return;
  }
  const failed = positionals.filter((name) => !check({ place: features.get(name), name }, values.types));
  console.log(
    failed.length === 0 ? `Whole without ${positionals.join(', ')}.` : `Not whole without ${failed.join(', ')}.`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) main();

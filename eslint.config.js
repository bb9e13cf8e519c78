import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Modules that only some layers may reach; see docs/architecture.md. test/architecture.test.ts checks the layer table itself. */
const wallClock = [
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'process.env belongs to src/base, src/cli.ts and src/measure.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Use src/base/random.ts: runs must be repeatable.',
  },
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: 'Use src/base/clock.ts.' },
];

/** Rules that need types are in .oxlintrc.json: oxlint takes a tenth of the time for them, and knows all of typescript-eslint's strict set but three. */
export default tseslint.config(
  // Compiled by test/package.mjs in a project that has installed the package.
  {
    ignores: [
      'dist',
      '**/*_pb.ts',
      'node_modules',
      'checkpoints',
      'datasets',
      'coverage',
      '.venv',
      'test/package/types.ts',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strict],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...wallClock],
      eqeqeq: 'error',
    },
  },
  // A net for drawers alone: most files have some 80 lines, and a file that is read as a whole is not cut at a number.
  { files: ['src/**/*.ts'], rules: { 'max-lines': ['error', 400] } },
  {
    files: ['src/base/**', 'src/cli.ts', 'src/measure/**', 'test/**', 'bench/**'],
    rules: { 'no-restricted-syntax': 'off', 'no-console': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        require: 'readonly',
        globalThis: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
        URL: 'readonly',
        AbortSignal: 'readonly',
        self: 'readonly',
      },
    },
  },
  // Names in them are those of the files that they are filled into; test/ship/kit/scripts.test.ts checks the names of the scripts of whole kits.
  {
    files: ['src/ship/kit/samples/**/*.{js,mjs}'],
    rules: { 'no-undef': 'off', 'no-unused-vars': 'off' },
  },
);

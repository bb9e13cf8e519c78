import js from '@eslint/js';

/** Of JavaScript. Rules of TypeScript, these among them, are in .oxlintrc.json: oxlint reads types, and takes a fraction of the time. */
export default [
  {
    ignores: ['dist', 'node_modules', 'checkpoints', 'datasets', 'coverage', '.venv'],
  },
  js.configs.recommended,
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
  {
    files: ['examples/*/convert.js'],
    languageOptions: { globals: { document: 'readonly', Blob: 'readonly' } },
  },
  // Names in them are those of the files that they are filled into; test/ship/kit/scripts.test.ts checks the names of the scripts of whole kits.
  {
    files: ['src/{ship/kit/samples,consumers/*/samples,answers/*/kit}/**/*.{js,mjs}'],
    rules: { 'no-undef': 'off', 'no-unused-vars': 'off' },
  },
];

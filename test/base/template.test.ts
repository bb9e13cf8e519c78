import { filledTemplate, templateParts } from '../../src/base/template.ts';

it('fills marks inside lines, and comments that are a mark with lines as far indented', () => {
  const template = 'class __NAME__ {\n  // __BODY__\n}\n';
  const marks = { NAME: 'A', BODY: 'let x;\n\n// __MORE__', MORE: 'let __NAME__2;' };
  expect(filledTemplate(template, marks)).toBe('class A {\n  let x;\n\n  let A2;\n}\n');
});

it('leaves out a comment whose mark has no text, and one of two blank lines that would meet', () => {
  expect(filledTemplate('a\n// __B__\nc\n\n<!-- __D__ -->\n\ne\n', {})).toBe('a\nc\n\ne\n');
});

it('fails for a mark inside a line that has no text', () => {
  expect(() => filledTemplate('class __NAME__ {}', {})).toThrow(
    'a template has the mark NAME, for which there is no text',
  );
});

it('reads the parts of a file by the headings above them', () => {
  const text = '// == HEAD ==\nimport a;\n\n// == BODY ==\nlet x;\n\nlet y; // == no heading ==\n';
  expect(templateParts(text)).toEqual({ HEAD: 'import a;', BODY: 'let x;\n\nlet y; // == no heading ==' });
});

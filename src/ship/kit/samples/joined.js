/** The numbers of each input of a model by its name, row by row, channels last, as one sample. */
export function joined({ inputs }, arrays) {
  const sample = [];
  for (const { name, shape, from } of inputs) {
    const size = shape.reduce((product, length) => product * length);
    const values = arrays[name];
    if (values?.length !== size)
      throw new Error('input ' + name + ': expected ' + size + ' numbers, received ' + (values?.length ?? 'none'));
    values.forEach((value, i) => (sample[from + i] = value));
  }
  return sample;
}

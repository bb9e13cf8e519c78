export { saidValues as said } from '../../serve/v1/values.ts';

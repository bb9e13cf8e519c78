export { namedValues as kit } from '../../ship/kit/values.ts';

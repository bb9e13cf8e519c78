import type { PipelineForm } from '../../ship/transformers/config.ts';

export const transformers: PipelineForm = { texts: 'text-classification', pictures: 'image-classification' };

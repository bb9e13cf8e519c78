/** The part of the list of features (`features.ts`) that browsers load: how the page of a server shows answers, by their form. */
import { shown as boxes } from './answers/boxes/shown.ts';
import { shown as classes } from './answers/classes/shown.ts';
import { shown as labels } from './answers/labels/shown.ts';
import { shown as mask } from './answers/mask/shown.ts';
import { shown as nextToken } from './answers/next-token/shown.ts';
import { shown as numbers } from './answers/numbers/shown.ts';
import { shown as points } from './answers/points/shown.ts';
import { shown as tags } from './answers/tags/shown.ts';
import { shown as vector } from './answers/vector/shown.ts';
import { addForms } from './page/browser/forms.ts';

addForms([classes, numbers, labels, tags, mask, boxes, points, nextToken, vector]);

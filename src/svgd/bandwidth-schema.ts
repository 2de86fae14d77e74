import { positiveFloat32Or } from '../core/schemas.ts'
import { bandwidthNames } from './bandwidth-rules.ts'

/** A rule that can be written down. Apart from the rules, whose types are those of entries without valibot. */
export const bandwidthSchema = positiveFloat32Or('bandwidth', bandwidthNames)

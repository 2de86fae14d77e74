import { tf } from '../../nn/tfjs.ts'
import type { View } from '../graph.ts'
import type { OperatorName } from '../operators.ts'
import { type Attributes, mapper, type Rule, shapeOf, type Traced, together, wider } from './rule.ts'

/** One operand, and a float unless it keeps the kind of number. That of booleans is a whole number. */
const unary =
  (operator: OperatorName, keepsType = false): Rule =>
  (graph, { x }) => ({
    view: graph.map(operator, [x.view], shapeOf(x)),
    dtype: !keepsType ? 'float32' : x.dtype === 'bool' ? 'int32' : x.dtype,
  })

const test =
  (operator: OperatorName): Rule =>
  (graph, { x }) => ({ view: graph.map(operator, [x.view], shapeOf(x)), dtype: 'bool' })

const binary =
  (operator: OperatorName): Rule =>
  (graph, { a, b }) => ({ view: graph.map(operator, [a.view, b.view], together(a, b)), dtype: wider(a, b) })

/** Two booleans make a boolean, as in tfjs: true and true is true, and not 2. */
const binaryOfNumbers =
  (operator: OperatorName): Rule =>
  (graph, inputs, attributes) => {
    const result = binary(operator)(graph, inputs, attributes) as Traced
    if (result.dtype !== 'bool') return result
    return { view: graph.map('notEqual', [result.view, graph.number(0)], shapeOf(result)), dtype: 'bool' }
  }

const comparison =
  (operator: OperatorName, swapped = false): Rule =>
  (graph, { a, b }) => {
    const args = swapped ? [b.view, a.view] : [a.view, b.view]
    return { view: graph.map(operator, args, together(a, b)), dtype: 'bool' }
  }

type Mapper = ReturnType<typeof mapper>

/** A function of one operand written with several operators. */
const written =
  (f: (map: Mapper, x: View, attributes: Attributes) => View): Rule =>
  (graph, { x }, attributes) => ({ view: f(mapper(graph, shapeOf(x)), x.view, attributes), dtype: 'float32' })

/** The same of two. */
const writtenOfTwo =
  (f: (map: Mapper, a: View, b: View) => View): Rule =>
  (graph, { a, b }) => ({ view: f(mapper(graph, together(a, b)), a.view, b.view), dtype: wider(a, b) })

const addN: Rule = (graph, inputs) => {
  const add = binaryOfNumbers('add')
  return Object.values(inputs).reduce((a, b) => add(graph, { a, b }, {}) as Traced)
}

const select: Rule = (graph, { condition, t, e }) => {
  // tfjs lets a condition of one axis choose whole rows.
  const rows = shapeOf(condition).length === 1 && shapeOf(t).length > 1
  const shape = rows
    ? [
        ...shapeOf(condition),
        ...shapeOf(t)
          .slice(1)
          .map(() => 1),
      ]
    : shapeOf(condition)
  const chosen = graph.reshape(condition.view, shape)
  return { view: graph.map('select', [chosen, t.view, e.view], shapeOf(t)), dtype: t.dtype }
}

const cast: Rule = (graph, { x }, { dtype }) => {
  const to = dtype as Traced['dtype']
  if (to === 'int32' && x.dtype === 'float32') return { view: graph.map('truncate', [x.view], shapeOf(x)), dtype: to }
  if (to === 'bool' && x.dtype !== 'bool')
    return { view: graph.map('notEqual', [x.view, graph.number(0)], shapeOf(x)), dtype: to }
  return { view: x.view, dtype: to }
}

export const elementwiseRules: Readonly<Record<string, Rule>> = {
  Neg: unary('negate', true),
  Abs: unary('absolute', true),
  Sqrt: unary('squareRoot'),
  Rsqrt: written((map, x) => map('reciprocal', map('squareRoot', x))),
  Reciprocal: unary('reciprocal'),
  Square: unary('square', true),
  Exp: unary('exp'),
  Expm1: unary('expMinus1'),
  Log: unary('log'),
  Log1p: unary('log1Plus'),
  Sin: unary('sin'),
  Cos: unary('cos'),
  Tan: unary('tan'),
  Sinh: unary('sinh'),
  Cosh: unary('cosh'),
  Tanh: unary('tanh'),
  Asin: unary('asin'),
  Acos: unary('acos'),
  Atan: unary('atan'),
  Asinh: unary('asinh'),
  Acosh: unary('acosh'),
  Atanh: unary('atanh'),
  Sigmoid: unary('sigmoid'),
  Softplus: unary('softplus'),
  Erf: unary('erf'),
  Floor: unary('floor', true),
  Ceil: unary('ceil', true),
  Round: unary('round', true),
  Sign: unary('sign', true),
  LogicalNot: test('not'),
  IsNan: test('isNaN'),
  IsInf: test('isInfinite'),
  IsFinite: test('isFinite'),
  Relu: written((map, x) => map('maximum', x, 0)),
  Relu6: written((map, x) => map('minimum', map('maximum', x, 0), 6)),
  LeakyRelu: written((map, x, { alpha }) =>
    map('select', map('greater', x, 0), x, map('multiply', x, alpha as number)),
  ),
  Elu: written((map, x) => map('select', map('greater', x, 0), x, map('expMinus1', map('minimum', x, 0)))),
  EluGrad: (graph, { dy, y }) => {
    const map = mapper(graph, shapeOf(y))
    const slope = map('select', map('greaterEqual', y.view, 0), 1, map('add', y.view, 1))
    return { view: map('multiply', dy.view, slope), dtype: 'float32' }
  },
  Selu: written((map, x) => {
    const below = map('multiply', map('expMinus1', map('minimum', x, 0)), tf.backend_util.SELU_SCALEALPHA)
    return map('select', map('greaterEqual', x, 0), map('multiply', x, tf.backend_util.SELU_SCALE), below)
  }),
  Step: written((map, x, { alpha }) => {
    const step = map('step', x)
    return alpha === 0 ? step : map('select', map('equal', step, 0), alpha as number, step)
  }),
  ClipByValue: written((map, x, { clipValueMin, clipValueMax }) =>
    map('minimum', map('maximum', x, clipValueMin as number), clipValueMax as number),
  ),
  Prelu: (graph, { x, alpha }) => {
    const map = mapper(graph, together(x, alpha))
    return {
      view: map('select', map('greaterEqual', x.view, 0), x.view, map('multiply', x.view, alpha.view)),
      dtype: 'float32',
    }
  },
  Add: binaryOfNumbers('add'),
  AddN: addN,
  Sub: binaryOfNumbers('subtract'),
  Multiply: binary('multiply'),
  RealDiv: binary('divide'),
  Maximum: binary('maximum'),
  Minimum: binary('minimum'),
  Pow: binary('power'),
  Atan2: (graph, inputs, attributes) => ({
    ...(binary('atan2')(graph, inputs, attributes) as Traced),
    dtype: 'float32',
  }),
  FloorDiv: writtenOfTwo((map, a, b) => map('floor', map('divide', a, b))),
  Mod: writtenOfTwo((map, a, b) => map('subtract', a, map('multiply', b, map('floor', map('divide', a, b))))),
  SquaredDifference: writtenOfTwo((map, a, b) => map('square', map('subtract', a, b))),
  DivNoNan: writtenOfTwo((map, a, b) => map('select', map('equal', b, 0), 0, map('divide', a, b))),
  Equal: comparison('equal'),
  NotEqual: comparison('notEqual'),
  Greater: comparison('greater'),
  GreaterEqual: comparison('greaterEqual'),
  Less: comparison('greater', true),
  LessEqual: comparison('greaterEqual', true),
  LogicalAnd: comparison('and'),
  LogicalOr: comparison('or'),
  LogicalXor: comparison('notEqual'),
  Select: select,
  Cast: cast,
}

// npx steinrl fit examples/posteriors/eight-schools.js --data examples/posteriors/eight-schools.csv
import { logp, model, positive, real, tf } from 'steinrl/bayes'

/** Eight schools, non-centred (Rubin 1981; Gelman et al. 2013, section 5.5). */
export default function eightSchools({ effect, error }) {
  const y = tf.tensor1d(effect)
  const sigma = tf.tensor1d(error)
  return model({
    parameters: { mu: real(), tau: positive(), eta: real(y.size) },
    logDensity: ({ mu, tau, eta }) => [
      logp.normal(mu, 0, 5),
      logp.halfCauchy(tau, 5),
      logp.normal(eta, 0, 1),
      logp.normal(y, tf.add(mu, tf.mul(tau, eta)), sigma),
    ],
    generated: ({ mu, tau, eta }) => ({ theta: tf.add(mu, tf.mul(tau, eta)) }),
  })
}

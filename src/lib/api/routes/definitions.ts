import {CHARGE_STATES, type ChargeState, isActiveCharge} from '../../orders/index.js';
import {END_REASONS, PORT_STATES} from '../definitions.js';
import {type Endpoint, endpoint} from '../endpoint.js';
import {list, shape, text, whole, yes} from '../schema.js';

const DEFINITIONS = {
  portStates: PORT_STATES.map((name, code) => ({code, name})),
  orderStates: Object.entries(CHARGE_STATES).map(([name, code]) => ({
    code,
    name,
    active: isActiveCharge(name as ChargeState),
  })),
  endReasons: Object.entries(END_REASONS).map(([name, meaning]) => ({name, meaning})),
};

export const definitionsEndpoint: Endpoint = endpoint({
  method: 'GET',
  path: '/api/v1/status/definitions',
  aliases: ['/api/v1/third/status/definitions'],
  scope: 'read',
  tag: 'statistics',
  summary: 'Explain the states of ports and charging orders, and why charging ends',
  description: 'A device may tell reasons of its own besides.',
  status: 200,
  data: shape({
    port_states: list(shape({code: whole, name: text})),
    order_states: list(shape({code: whole, name: text, active: yes})),
    end_reasons: list(shape({name: text, meaning: text})),
  }),
  example: {
    data: {
      port_states: [{code: 0, name: 'free'}],
      order_states: [{code: 2, name: 'charging', active: true}],
      end_reasons: [{name: 'no_load', meaning: END_REASONS.no_load}],
    },
  },
  run: async () => DEFINITIONS,
});

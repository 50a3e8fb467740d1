import { flipEverySwitch } from './browser-switches.js'

flipEverySwitch('desktop')

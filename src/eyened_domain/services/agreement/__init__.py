"""How far graders agree; see docs/agreement.md."""

from eyened_domain.services.agreement.disagreement import DisagreedCase as DisagreedCase
from eyened_domain.services.agreement.disagreement import Disagreements as Disagreements
from eyened_domain.services.agreement.readings import Case as Case
from eyened_domain.services.agreement.service import Agreement as Agreement
from eyened_domain.services.agreement.service import Intervals as Intervals

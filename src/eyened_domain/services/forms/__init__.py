"""Forms: their schemas, what was filled in, and who revised it."""

from eyened_domain.services.forms.answers import AnswerCheck as AnswerCheck
from eyened_domain.services.forms.answers import AnswerFault as AnswerFault
from eyened_domain.services.forms.answers import AnswersRefused as AnswersRefused
from eyened_domain.services.forms.answers import PatternTooSlow as PatternTooSlow
from eyened_domain.services.forms.importing import FormImporting as FormImporting
from eyened_domain.services.forms.importing import FormImportPlan as FormImportPlan
from eyened_domain.services.forms.importing import FormImportResult as FormImportResult
from eyened_domain.services.forms.service import Forms as Forms
from eyened_domain.services.forms.service import FormSubmitted as FormSubmitted
from eyened_domain.services.forms.validation import CheckedSchema as CheckedSchema
from eyened_domain.services.forms.validation import FormsReport as FormsReport
from eyened_domain.services.forms.validation import InvalidForm as InvalidForm

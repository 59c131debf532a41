"""All tables, for whatever goes over each of them: copying, comparing, sweeping."""

import models_access
import models_billing
import models_feedback

ALL_MODELS = (*models_billing.ALL_MODELS, *models_access.MODELS, *models_feedback.MODELS)
CLUSTERED_MODELS = (*models_billing.CLUSTERED_MODELS, *models_feedback.CLUSTERED_MODELS)
